case $1 in
prepare) ;;
run) exec node --max-old-space-size=8192 "$SCRIPTS/objects.js" "$SIZE" ;;
esac
