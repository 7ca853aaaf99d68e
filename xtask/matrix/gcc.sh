# The compiler proper on a large source, the linker on many objects; what they make must run.
case $1 in
prepare)
    awk -v count=$((SIZE * 12)) 'BEGIN {
        for (f = 0; f < count; f++) {
            printf "int f%d(int x) { int a[8] = {0};", f
            for (s = 0; s < 24; s++)
                printf " for (int i = 0; i < x %% %d; i++) a[(x + i + %d) & 7] += x * %d ^ (i << %d);", s + 3, s, s * 7 + f, s % 5
            print " return a[x & 7] + a[3]; }"
        }
        print "#include <stdio.h>\nint main(void) { unsigned sum = 0;"
        for (f = 0; f < count; f++) printf "sum = sum * 31 + f%d(%d);\n", f, f * 17 % 1009
        print "printf(\"%u\\n\", sum); return 0; }"
    }' >large.c
    ;;
run)
    set -e
    gcc -O2 -g -fdebug-prefix-map="$PWD=." -frandom-seed=1 -c -o large.o "$PREPARED/large.c"
    gcc -Wl,--no-keep-memory -o out/large large.o
    out/large
    sha256sum <large.o
    ;;
esac
