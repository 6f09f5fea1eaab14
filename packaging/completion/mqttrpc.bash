# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion of mqttrpc for bash. The program knows what could come next: see mqttrpc(1).

_mqttrpc() {
        local current=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") IFS=$'\n'

        COMPREPLY=()
        # bash makes a word of the '=' in NAME=VALUE; nothing is known of values.
        [[ $current == = || ${words[COMP_CWORD - 1]-} == = ]] && return
        mapfile -t COMPREPLY < <("${words[0]}" complete --index "$COMP_CWORD" -- "${words[@]}" \
                2>/dev/null)
        if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then
                compopt -o nospace 2>/dev/null
        fi
}

complete -o bashdefault -o default -F _mqttrpc mqttrpc
