# Completes veilleuse in bash. What verbs and options there are, the program itself is asked: it lists them line by
# line, a verb first, its arguments behind it.

_veilleuse() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} lines line choices=
  lines=$(veilleuse help 2>/dev/null | sed -n 's/^  \([a-z]\)/\1/p')
  COMPREPLY=()
  case $before in
  -c | --token | --file | --key | --state) # files, by compopt below
    ;;
  --kind) choices='smoke co' ;;
  *)
    if [ "$COMP_CWORD" = 1 ]; then
      choices="$(cut -d ' ' -f 1 <<<"$lines") help"
    else
      line=$(grep "^${COMP_WORDS[1]//[^a-z-]/} " <<<"$lines")
      choices=$(grep -Eo -- '(^| |\[)--?[a-z]+' <<<"$line" | tr -d ' [')
    fi
    ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
  [ "${#COMPREPLY[@]}" -gt 0 ] || compopt -o default 2>/dev/null
}

complete -F _veilleuse veilleuse
