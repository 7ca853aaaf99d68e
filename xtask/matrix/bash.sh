# Many short programs in pipelines around a few long ones: each is an image of its own under the one budget.
case $1 in
prepare) ;;
run) exec bash "$SCRIPTS/pipelines.bash" ;;
esac
