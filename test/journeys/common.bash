# What the journeys share. Sourced, not run. Needs bash and the usual small tools,
# and nothing that has to be installed.
: "${AUTOSCALER:?the program}" "${REPOSITORY:?the folder of the checkout}"
unset TESSERA_DATA # recorded traffic belongs to no journey
export NO_COLOR=1

# complain TEXT: ends the journey.
complain() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# expect CODE COMMAND...: runs the command, keeps its output in ./out and ./err, and
# wants its exit code.
expect() {
  local want=$1 got=0
  shift
  "$@" >out 2>err || got=$?
  [ "$got" -eq "$want" ] || complain "exit code $got, want $want: $*
$(head -c 2000 err)"
}

# says FILE TEXT...: every text stands in the file.
says() {
  local file=$1 text
  shift
  for text; do
    grep -qF -- "$text" "$file" || complain "$file does not say '$text':
$(head -c 3000 "$file")"
  done
}

# silent FILE...: the files are empty.
silent() {
  local file
  for file; do
    [ ! -s "$file" ] || complain "$file is not empty: $(head -c 500 "$file")"
  done
}

# patiently SECONDS COMMAND...: tries the command again until it succeeds.
patiently() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.1
  done
}

# fetch ADDRESS PATH: asks a server on this machine, leaves the answer in ./answer and
# its status in $status; 000 when nobody answers.
fetch() {
  local host=${1%:*} port=${1##*:} raw
  status=000
  { exec 3<>"/dev/tcp/$host/$port"; } 2>/dev/null || return 1
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" "$1" >&3
  raw=$(cat <&3)
  exec 3>&-
  status=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' <<<"$raw")
  sed '1,/^\r*$/d' <<<"$raw" >answer
}

# field NAME FILE: a top-level number or string of a result in JSON.
field() {
  sed -n "s/^  \"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$2"
}
