# A hash with a key for each line, and one of all words.
case $1 in
prepare) ;;
run) exec perl "$SCRIPTS/hash.pl" "$TEXT" ;;
esac
