/* SPDX-License-Identifier: MIT */
#pragma once

/* How mqttrpc ends; part of its interface, documented in mqttrpc(1). Which error leads where is in
 * explain.c. An interrupted run ends with 128 + the signal. */
typedef enum ExitStatus {
        STATUS_OK = 0,
        STATUS_FAILED = 1,      /* the method answered with an error */
        STATUS_USAGE = 2,       /* wrong command line; nothing was sent */
        STATUS_CONNECTION = 3,  /* no connection to the broker, or refused by it */
        STATUS_NO_SERVICE = 4,  /* nobody there to answer */
        STATUS_DENIED = 5,      /* access denied */
        STATUS_TIMEOUT = 6,     /* no answer in time */
        STATUS_BAD_REQUEST = 7, /* the service does not take the request: method, arguments */
        STATUS_TRY_AGAIN = 8,   /* busy; the same call may succeed later */
        STATUS_INTERNAL = 9,    /* trouble in mqttrpc itself: no memory, output not written */
} ExitStatus;
