case $1 in
prepare) ;;
run)
    set -e
    xz -9 --threads=1 --stdout "$TEXT" >out/text.xz
    xz --decompress --stdout out/text.xz | cmp - "$TEXT"
    ;;
esac
