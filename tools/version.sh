#!/bin/sh
# Prints the version, which stands in Cargo.toml and nowhere else.
cd "$(dirname "$0")/.." || exit
sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml
