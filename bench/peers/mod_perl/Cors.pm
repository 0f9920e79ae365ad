package Cors;

use strict;
use warnings;

use Apache2::Const -compile => qw(DECLINED OK);
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

    my $status = 403;
    if (is_allowed($origin)) {
        $status = 204;
        $out->set('Access-Control-Allow-Origin' => $origin);
        if ($preflight) {
            $out->set('Access-Control-Allow-Methods' => 'GET, POST, PUT, DELETE');
            $out->set('Access-Control-Allow-Headers' => 'Content-Type, Authorization');
            $out->set('Access-Control-Max-Age' => '7200');
        }
    }
    if ($preflight) {
        $r->handler('perl-script');
        $r->set_handlers(PerlResponseHandler => sub { answer($_[0], $status) });
    }
    return Apache2::Const::DECLINED;
}

# Nothing but the headers.
sub answer {
    my ($r, $status) = @_;
    $r->status($status);
    $r->rflush;
    return Apache2::Const::OK;
}

1;
