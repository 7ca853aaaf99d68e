# However one of these ends, the status of the whole tells of it.
set -euo pipefail
tr ' ' '\n' <"$TEXT" | sort --buffer-size="${SIZE}M" | uniq -c | sort -k1,1nr -k2 | sed -n 1,200p >out/often
exec 3> >(sha256sum >out/keys)
summing=$!
cut -d ' ' -f 1 "$TEXT" | sort -u --buffer-size="${SIZE}M" | tee /dev/fd/3 | wc -l
exec 3>&-
wait "$summing"
declare -A seen=()
while read -r key first _; do
    seen[$first]="${seen[$first]:-}${key:0:2}"
done < <(head -n $((SIZE * 200)) "$TEXT")
wait $!
for first in "${!seen[@]}"; do echo "$first ${#seen[$first]}"; done | sort >out/seen
for part in {1..100}; do
    (sed -n "${part}p" "$TEXT" | tr a-z A-Z | cut -c 1-40; echo "$part" $((part * part)))
done | sha256sum
