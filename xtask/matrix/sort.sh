# Long lines, and a buffer larger than the budget: most of what sort holds is paged.
case $1 in
prepare) ;;
run) exec sort --buffer-size="$((SIZE / 2))M" --parallel=2 --temporary-directory="$TMPDIR" --output=out/sorted "$TEXT" ;;
esac
