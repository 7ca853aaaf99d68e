case $1 in
prepare) ;;
run) exec python3 "$SCRIPTS/arrays.py" "$SIZE" ;;
esac
