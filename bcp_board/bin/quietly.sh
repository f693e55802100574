#!/bin/sh
# quietly.sh EXCUSE COMMAND...: run a command unheard; if it fails, end with a line that says what to do about it.
excuse=$1
shift
said=$("$@" </dev/null 2>&1) && exit 0
# How pip and npm say that they got no answer
if echo "$said" | grep -qE "NewConnectionError|NameResolutionError|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT"; then
    echo "The network could not be reached. Check the connection or proxy, then try again." >&2
else
    printf '%s\n\n%s\n' "$said" "$excuse" >&2
fi
exit 1
