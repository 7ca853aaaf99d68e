# Every method of its own, each word verified.
case $1 in
prepare) ;;
run)
    stress-ng --quiet --seed 1 --temp-path "$TMPDIR" --vm 2 --vm-bytes "${SIZE}M" --vm-ops $((SIZE * 100)) --verify || exit
    stress-ng --quiet --seed 1 --temp-path "$TMPDIR" --malloc 2 --malloc-bytes "$((SIZE / 4))M" --malloc-ops 10000 --verify || exit
    echo verified
    ;;
esac
