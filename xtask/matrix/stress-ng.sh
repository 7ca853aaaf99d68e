# Every method of its own, each word verified.
case $1 in
prepare) ;;
run)
    stress() { stress-ng --quiet --seed 1 --temp-path "$TMPDIR" --verify "$@" || exit; }
    stress --vm 2 --vm-bytes "${SIZE}M" --vm-ops $((SIZE * 25))
    stress --malloc 2 --malloc-bytes "$((SIZE / 64))M" --malloc-max 64 --malloc-touch --malloc-ops 5000
    echo verified
    ;;
esac
