# Long lines, and a buffer larger than the budget: most of what sort holds is paged. Of a large text it is an eighth: with
# half of it a group of that size did not come to an end in four minutes.
case $1 in
prepare) ;;
run) exec sort --buffer-size="$((SIZE > 256 ? SIZE / 8 : SIZE / 2))M" --parallel=2 --temporary-directory="$TMPDIR" --output=out/sorted "$TEXT" ;;
esac
