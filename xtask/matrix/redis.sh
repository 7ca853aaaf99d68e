# The dataset's digest must survive a load of requests, a snapshot written by a forked child under that load, and a
# reload of the snapshot by another server.
server() {
    redis-server --port 0 --unixsocket "$PWD/redis" --save '' --dir "$PWD" --appendonly no \
        --enable-debug-command local >>redis.log 2>&1 &
    server=$!
    for _ in $(seq 600); do
        [ "$(ask PING 2>/dev/null)" = PONG ] && return
        kill -0 $server 2>/dev/null || break
        sleep 0.1
    done
    echo 'the server does not answer'; tail -5 redis.log >&2; exit 1
}
ask() { redis-cli -s "$PWD/redis" "$@"; }
saved() {
    while ask INFO persistence | grep -q 'rdb_bgsave_in_progress:1'; do sleep 0.1; done
    ask INFO persistence | grep 'rdb_last_bgsave_status' | tr -d '\r'
}
case $1 in
prepare) ;;
run)
    server
    ask DEBUG POPULATE $((SIZE * 1000)) item 900
    before=$(ask DEBUG DIGEST)
    redis-benchmark -s "$PWD/redis" --dbnum 1 -q -c 20 -n $((SIZE * 100)) -r $((SIZE * 100)) -d 200 -t set,get,lpush >&2
    ask BGSAVE
    redis-benchmark -s "$PWD/redis" --dbnum 1 -q -c 20 -n $((SIZE * 50)) -r $((SIZE * 100)) -d 200 -t set >&2
    saved
    ask -n 1 FLUSHDB
    [ "$(ask DEBUG DIGEST)" = "$before" ] && echo same after requests
    ask SHUTDOWN NOSAVE
    wait $server
    echo "ended with $?"
    server
    ask -n 1 FLUSHDB
    [ "$(ask DEBUG DIGEST)" = "$before" ] && echo same after reload
    echo "$before"
    ask DBSIZE
    ask SHUTDOWN NOSAVE
    wait $server
    echo "ended with $?"
    rm -f dump.rdb
    ;;
esac
