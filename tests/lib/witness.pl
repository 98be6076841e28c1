#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# witness.pl: makes numbered events at a steady rate, so that a test can tell which of them were lost or came twice.
#
# Usage: witness.pl PREFIX RATE ONE_IN REPORT
#
# Opens RATE files a second until SIGTERM, none of which exists: PREFIX-NUMBER-MARK. One in ONE_IN, at random, is marked: its
# MARK is the number of marked ones before it. The others have the mark "none". At the end REPORT has one line: the opens, the
# marked ones, and the seconds that it took. Work that it could not do in time is not made up for, so that there is no flood.
use strict;
use warnings;
use POSIX ();

# It needs no more than Debian's perl-base, which every Debian has and which lacks Time::HiRes.
my ($prefix, $rate, $one_in, $report) = @ARGV;
my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());
my $every = int($rate / $ticks) || 1;
my ($number, $marked, $going) = (0, 0, 1);
$SIG{TERM} = sub { $going = 0 };

sub now { return (POSIX::times())[0] }

my $begun = now();
while ($going) {
    my $tick = now();
    for (1 .. $every) {
        my $mark = rand($one_in) < 1 ? $marked++ : "none";
        sysopen(my $file, "$prefix-$number-$mark", 0);
        $number++;
    }
    select(undef, undef, undef, 0.001) while $going && now() == $tick;
}
my $seconds = (now() - $begun) / $ticks;
open(my $out, ">", $report) or die "$report: $!";
print $out "$number $marked $seconds\n";
close($out) or die "$report: $!";
