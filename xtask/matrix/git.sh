# A repository of many versions of large files is packed anew; every object must come out as it went in.
case $1 in
prepare)
    git init -q --bare it
    python3 "$SCRIPTS/history.py" "$SIZE" | git -C it fast-import --quiet
    ;;
run)
    set -e
    git -C "$PREPARED/it" -c pack.threads=2 -c pack.windowMemory=0 -c pack.deltaCacheSize=1g \
        repack -a -d -f -q --window=40 --depth=20
    git -C "$PREPARED/it" fsck --strict --full 2>&1
    git -C "$PREPARED/it" cat-file --batch-all-objects --batch --unordered --buffer | sha256sum >/dev/null
    git -C "$PREPARED/it" cat-file --batch-all-objects --batch | sha256sum
    ;;
esac
