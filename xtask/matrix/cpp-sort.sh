case $1 in
prepare) c++ -O2 -pthread -o sorts "$SCRIPTS/sorts.cpp" ;;
run) exec "$PREPARED/sorts" "$SIZE" ;;
esac
