# Runs a mapping in Perl for Rehearse: command with mode jsonl. Needs Perl 5.14 with its own modules and nothing else.
#
#     use FindBin; use lib $FindBin::Bin; use Rehearse;
#     Rehearse::serve(sub { my $msg = shift; return [map { { id => $_->{ID} } } @{ $msg->json }] });
#
# What the mapping returns is the output: a plain scalar is its bytes, undef hands nothing over, a reference is written
# as JSON with sorted names. $msg has body (bytes), text (characters), json, name, content_type and now (RFC 3339); over
# HTTP method and path in place of the name. There, Rehearse::answer($output, status => 502, content_type => 'text/plain')
# answers with another status than the recorded one. Numbers that Perl cannot hold are big numbers; for 3.50 that stays 3.50 work on the text. What the mapping prints goes to
# the log of the run; what it dies of is a fault of the exchange, and the next one is mapped all the same.
package Rehearse;
use strict;
use warnings;
use Encode ();
use IO::Handle;
use JSON::PP ();
use MIME::Base64 ();

my $json = JSON::PP->new->utf8->canonical->allow_nonref->allow_bignum;

sub new {
    my ($class, $request) = @_;
    my $input = $request->{input};
    my $body = defined $input->{body} ? Encode::encode('UTF-8', $input->{body}) : MIME::Base64::decode_base64($input->{b64} // '');
    my ($method, $path) = ($input->{method} // '', $input->{path} // '');
    my %at = $method eq '' ? (name => $path, path => '') : (name => '', path => $path);
    return bless { %at, method => $method, body => $body, content_type => $input->{contentType} // '', now => $request->{vars}{now} }, $class;
}

sub body         { $_[0]{body} }
sub name         { $_[0]{name} }
sub method       { $_[0]{method} }
sub path         { $_[0]{path} }
sub content_type { $_[0]{content_type} }
sub now          { $_[0]{now} }
sub text         { Encode::decode('UTF-8', $_[0]{body}) }
sub json         { $json->decode($_[0]{body}) }

sub answer {
    my ($output, %more) = @_;
    return bless { output => $output, %more }, 'Rehearse::Answer';
}

sub told {
    my ($output) = @_;
    if (ref $output eq 'Rehearse::Answer') {
        return { %{ told($output->{output}) }, status => ($output->{status} // 0) + 0, contentType => $output->{content_type} // '' };
    }
    return { output => undef } unless defined $output;
    $output = $json->encode($output) if ref $output;
    $output = Encode::encode('UTF-8', $output) if utf8::is_utf8($output);
    return { outputB64 => MIME::Base64::encode_base64($output, '') };
}

sub reply {
    my ($mapping, $request) = @_;
    my $reply = eval { told($mapping->(Rehearse->new($request))) };
    if (my $error = $@) {
        print STDERR $error;
        $error =~ s/\s+\z//;
        return { error => "$error" };
    }
    return $reply;
}

sub serve {
    my ($mapping) = @_;
    open my $out, '>&', \*STDOUT or die "keep standard output: $!";
    open STDOUT, '>&', \*STDERR or die "lead standard output into the log: $!";
    $out->autoflush(1);
    STDOUT->autoflush(1);
    while (my $line = <STDIN>) {
        my $request = $json->decode($line);
        print {$out} $json->encode({ %{ reply($mapping, $request) }, id => $request->{id} }), "\n";
    }
}

1;
