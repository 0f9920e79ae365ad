package Cors;

use strict;
use warnings;

use Apache2::Const -compile => qw(DECLINED DONE FORBIDDEN);
use Apache2::RequestRec ();
use Apache2::RequestUtil ();
use Apache2::RequestIO ();
use APR::Table ();

# origins.pl returns { exact => { 'https://app.example.com' => 1, ... }, patterns => [ qr{^...$}, ... ] }
my $origins = do 'origins.pl' or die $@ || $!;

sub is_allowed {
    my ($origin) = @_;
    return 1 if $origins->{exact}{$origin};
    for my $pattern (@{ $origins->{patterns} }) {
        return 1 if $origin =~ $pattern;
    }
    return 0;
}

sub handler {
    my ($r) = @_;
    my $in = $r->headers_in;
    my $out = $r->err_headers_out;

    $out->merge(Vary => 'Origin');
    my $origin = $in->{'Origin'};
    return Apache2::Const::DECLINED unless defined $origin;

    my $preflight = $r->method eq 'OPTIONS' && defined $in->{'Access-Control-Request-Method'};
    $r->pnotes(preflight => 1) if $preflight;

    if (!is_allowed($origin)) {
        return Apache2::Const::DECLINED unless $preflight;
        $r->status(403);
        $r->rflush;
        return Apache2::Const::DONE;
    }

    $out->set('Access-Control-Allow-Origin' => $origin);
    return Apache2::Const::DECLINED unless $preflight;

    $out->set('Access-Control-Allow-Methods' => 'GET, POST, PUT, DELETE');
    $out->set('Access-Control-Allow-Headers' => 'Content-Type, Authorization');
    $out->set('Access-Control-Max-Age' => '7200');
    $r->status(204);
    $r->rflush;
    return Apache2::Const::DONE;
}

1;
