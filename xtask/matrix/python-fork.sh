case $1 in
prepare) ;;
run) exec python3 "$SCRIPTS/workers.py" fork "$SIZE" ;;
esac
