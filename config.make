# Sourced when nginx's Makefile is being written. Only cargo knows when the module is up to date, so it
# is asked every time; what it made is left alone unless it differs. CARGO_TARGET_DIR=<directory> is where it makes it.
#
# cargo reads its configuration where it is called: there, a tarball that brings the crates along says where they are.

case "$NGX_MODULES_PATH" in
    /*) ngx_http_cors_path=$NGX_MODULES_PATH ;;
    *) ngx_http_cors_path=$NGX_PREFIX/$NGX_MODULES_PATH ;;
esac

cat << END                                                    >> $NGX_MAKEFILE

modules:	$NGX_OBJS/ngx_http_cors_module.so

.PHONY:	ngx_http_cors_module ngx_http_cors_install

$NGX_OBJS/ngx_http_cors_module.so:	ngx_http_cors_module

ngx_http_cors_module:
	nginx=\$\$(pwd) && objs=\$\$(cd $NGX_OBJS && pwd) && cd '$ngx_addon_dir' && \\
		env -u MAKEFLAGS -u MFLAGS cargo run --quiet --locked --package xtask \\
		--target-dir "\$\${CARGO_TARGET_DIR:-\$\$objs/ngx_http_cors}" -- addon "\$\$nginx" "\$\$objs"

# nginx installs what its own scripts compile. An old file is moved, as a running nginx may have it mapped.
install:	ngx_http_cors_install

ngx_http_cors_install:	$NGX_OBJS/ngx_http_cors_module.so
	mkdir -p '\$(DESTDIR)$ngx_http_cors_path'
	test ! -f '\$(DESTDIR)$ngx_http_cors_path/ngx_http_cors_module.so' \\
		|| mv '\$(DESTDIR)$ngx_http_cors_path/ngx_http_cors_module.so' \\
			'\$(DESTDIR)$ngx_http_cors_path/ngx_http_cors_module.so.old'
	cp $NGX_OBJS/ngx_http_cors_module.so '\$(DESTDIR)$ngx_http_cors_path'

END
