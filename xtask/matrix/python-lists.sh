case $1 in
prepare) ;;
run) exec python3 "$SCRIPTS/lists.py" "$SIZE" ;;
esac
