# A database in memory; each question is asked in two ways, with and without an index.
case $1 in
prepare) ;;
run)
    queries=$(sed "s/SIZE/$SIZE/" "$SCRIPTS/queries.sql") || exit
    exec sqlite3 -bail :memory: "$queries"
    ;;
esac
