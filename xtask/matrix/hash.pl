use strict;
use warnings;

my (%line, %word, $sum);
open my $text, '<', $ARGV[0] or die "$ARGV[0]: $!";
while (<$text>) {
    chomp;
    my ($key, @words) = split ' ';
    push @{ $line{$key} }, [@words];
    $word{$_}++ for @words;
}
my @often = sort { $word{$b} <=> $word{$a} || $a cmp $b } keys %word;
print "$_ $word{$_}\n" for @often[0 .. 99];
for my $key (sort keys %line) {
    my $words = join ' ', map { @$_ } @{ $line{$key} };
    $sum = (($sum // 0) * 31 + unpack('%32C*', $words)) % 4294967291;
    delete $line{$key} if $words =~ /a$/;
}
print scalar(keys %line), " $sum\n";
