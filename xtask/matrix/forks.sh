# Unlike a pool of multiprocessing, which waits for ever for what a killed worker had, this one says who failed.
case $1 in
prepare) ;;
run) exec python3 "$SCRIPTS/forks.py" "$SIZE" ;;
esac
