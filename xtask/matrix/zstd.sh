case $1 in
prepare) ;;
run)
    set -e
    zstd -q -19 --long=27 -T1 -o out/text.zst "$TEXT"
    zstd -q -d --long=27 --stdout out/text.zst | cmp - "$TEXT"
    ;;
esac
