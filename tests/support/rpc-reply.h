/* SPDX-License-Identifier: MIT */
#pragma once

/* What a JSON-RPC response says, compared with what a test expects. */

/* Fails unless the reply is a result and this JSON text, byte for byte. */
void rpc_reply_assert_result(const char *reply, const char *expected);

/* Fails unless the reply is an error with this code, `text` in its message, and these members of
 * its data: the name and whether the method was executed. NULL: not looked at. */
void rpc_reply_assert_error(const char *reply, int code, const char *name, const char *executed,
                            const char *text);

/* The code of an error reply; 0 for a result. */
int rpc_reply_get_code(const char *reply);
