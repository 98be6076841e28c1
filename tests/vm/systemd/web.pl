#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# web.pl: a web server for courier.sh. It gives out the files of a folder, and notes what is posted.
#
# Usage: web.pl PORT FOLDER NOTED
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $folder, $noted) = @ARGV;
my $door = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 16, ReuseAddr => 1) or die "web: $@";
$SIG{PIPE} = "IGNORE";

sub answer {
    my ($peer, $status, $body) = @_;
    print $peer "HTTP/1.1 $status\r\nConnection: close\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
}

sub content {
    my ($path) = @_;
    open(my $file, "<:raw", $path) or return undef;
    local $/;
    return <$file>;
}

while (my $peer = $door->accept) {
    my ($head, $body) = ("", "");
    while (index($head, "\r\n\r\n") < 0) { sysread($peer, $head, 4096, length $head) or last }
    ($head, $body) = split(/\r\n\r\n/, $head, 2);
    my ($length) = ($head // "") =~ /^Content-Length: *(\d+)/mi;
    while (defined $length && length $body < $length) { sysread($peer, $body, 65536, length $body) or last }
    if (($head // "") =~ /^POST /) {
        open(my $file, ">>", $noted) or die "web: $!";
        print $file "$body\n";
        close $file;
        answer($peer, "200 OK", "");
    } else {
        my ($name) = ($head // "") =~ m{^GET /([\w.-]+) };
        my $found = defined $name ? content("$folder/$name") : undef;
        answer($peer, defined $found ? "200 OK" : "404 Not Found", $found // "");
    }
    close $peer;
}
