case $1 in
prepare) ;;
run)
    exec gawk '
        { line[$1] = $0; for (f = 2; f <= NF; f++) { count[$f]++; last[$f] = NR } }
        END {
            n = asorti(line, keys)
            for (at = 1; at <= n; at += 100) print substr(line[keys[at]], 1, 60)
            n = asorti(count, words)
            for (at = 1; at <= n; at++) print words[at], count[words[at]], last[words[at]]
        }' "$TEXT"
    ;;
esac
