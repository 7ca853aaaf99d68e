# Nothing but forks: each subshell has the list of its parent, and says a part of it.
case $1 in
prepare) ;;
run)
    exec bash -c '
        set -o pipefail
        list=$(seq 1 20000) || exit
        for ((part = 0; part < 200; part++)); do
            (echo "${list:part * 300:40}" | tr "\n" " ") || exit
            last=$(echo "${list: -part - 6}") || exit
        done
        echo "${#last}"'
    ;;
esac
