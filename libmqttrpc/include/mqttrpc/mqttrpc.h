/* SPDX-License-Identifier: MIT */
#ifndef MQTTRPC_MQTTRPC_H
#define MQTTRPC_MQTTRPC_H

/* libmqttrpc: calls over an MQTT broker, wire protocol mb1 (docs/PROTOCOL.md).
 *
 * Conventions. Functions return 0 or a positive value on success and a negative errno on failure;
 * outputs are untouched on failure. Where the reason matters to a person or a peer there is a last
 * parameter `MqttRpcError **ret_error`: it may be NULL; on failure it receives an error object that
 * the caller frees. Times are microseconds of CLOCK_MONOTONIC. JSON texts are UTF-8. Names of
 * services, methods and callers match [A-Za-z0-9_.-]{1,255} and do not start with '$'; "-" is the
 * root object of a service.
 *
 * Threads. A bus and all that comes from it (slots, requests, replies, errors) belong to one
 * thread: nothing is locked. Who wants something of it from another thread wakes that one's loop
 * up, by an eventfd say. Different buses may be used by different threads at the same time. The
 * library has a thread of its own only while it resolves the name of a broker's host; it takes no
 * signals, and no callback runs in it.
 *
 * Re-entrancy. Callbacks run inside mqttrpc_bus_process() and the functions that wait, and nowhere
 * else, unless a function says otherwise. Inside a callback every function may be called, except
 * mqttrpc_bus_open(), mqttrpc_bus_process() and those that wait (mqttrpc_bus_wait(),
 * mqttrpc_bus_wait_connected(), mqttrpc_bus_flush(), mqttrpc_call()), which return -EBUSY there. A
 * bus may be unreferenced inside a callback; it is freed after the callback. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef MQTTRPC_PUBLIC
#define MQTTRPC_PUBLIC __attribute__((visibility("default")))
#endif
#define MQTTRPC_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))

struct cJSON;

typedef struct MqttRpcBus MqttRpcBus;
typedef struct MqttRpcError MqttRpcError;
typedef struct MqttRpcProgress MqttRpcProgress;
typedef struct MqttRpcReply MqttRpcReply;
typedef struct MqttRpcRequest MqttRpcRequest;
typedef struct MqttRpcSlot MqttRpcSlot;
typedef struct MqttRpcValue MqttRpcValue;
typedef struct MqttRpcSignal MqttRpcSignal;
typedef struct MqttRpcPropertyEvent MqttRpcPropertyEvent;
typedef struct MqttRpcObjectEvent MqttRpcObjectEvent;
typedef struct MqttRpcServiceEvent MqttRpcServiceEvent;
typedef struct MqttRpcDescriptionEvent MqttRpcDescriptionEvent;
typedef struct MqttRpcCallMessage MqttRpcCallMessage;

/* ---- errors (protocol section 8) ---- */

/* Error codes. Those from -32100 down are made locally and never travel. Applications use any
 * integer outside -32768..-32000 for codes of their own. */
enum {
        MQTTRPC_ERROR_PARSE = -32700,
        MQTTRPC_ERROR_INVALID_REQUEST = -32600,
        MQTTRPC_ERROR_NO_METHOD = -32601,
        MQTTRPC_ERROR_INVALID_PARAMS = -32602,
        MQTTRPC_ERROR_INTERNAL = -32603,
        MQTTRPC_ERROR_FAILED = -32000,
        MQTTRPC_ERROR_ACCESS_DENIED = -32001,
        MQTTRPC_ERROR_NOT_FOUND = -32002,
        MQTTRPC_ERROR_EXISTS = -32003,
        MQTTRPC_ERROR_BUSY = -32004,
        MQTTRPC_ERROR_TIMEOUT = -32005,
        MQTTRPC_ERROR_CANCELLED = -32006,
        MQTTRPC_ERROR_READ_ONLY = -32007,
        MQTTRPC_ERROR_NOT_SUPPORTED = -32008,
        MQTTRPC_ERROR_TOO_LARGE = -32009,
        MQTTRPC_ERROR_STALE_EPOCH = -32010,
        MQTTRPC_ERROR_DUPLICATE = -32011,
        MQTTRPC_ERROR_UNAVAILABLE = -32012,
        MQTTRPC_ERROR_AUTH_REQUIRED = -32013,
        MQTTRPC_ERROR_VERSION = -32014,
        MQTTRPC_ERROR_NO_SERVICE = -32100,
        MQTTRPC_ERROR_PEER_LOST = -32101,
        MQTTRPC_ERROR_DISCONNECTED = -32102,
        MQTTRPC_ERROR_PROTOCOL = -32103,
};

/* Whether the method that failed was executed (`data.executed`). */
typedef enum MqttRpcExecuted {
        MQTTRPC_EXECUTED_UNKNOWN = 0,
        MQTTRPC_EXECUTED_NO,
        MQTTRPC_EXECUTED_MAYBE,
        MQTTRPC_EXECUTED_YES,
} MqttRpcExecuted;

/* A new error with a code and a message; the caller owns it. NULL when memory is short: every
 * function here accepts that NULL and treats it as INTERNAL "out of memory". */
MQTTRPC_PUBLIC MqttRpcError *mqttrpc_error_new(int code, const char *format, ...)
        MQTTRPC_PRINTF(2, 3);

/* Sets *ret_error, unless that pointer is NULL or an error is there already, and returns the
 * negative errno that belongs to `code`, so that a handler can end with
 * `return mqttrpc_error_set(error, MQTTRPC_ERROR_NOT_FOUND, "no such zone: %s", name);` */
MQTTRPC_PUBLIC int mqttrpc_error_set(MqttRpcError **ret_error, int code, const char *format, ...)
        MQTTRPC_PRINTF(3, 4);

/* Frees an error; accepts NULL, returns NULL. */
MQTTRPC_PUBLIC MqttRpcError *mqttrpc_error_free(MqttRpcError *error);

/* One of the codes above, or an application's. */
MQTTRPC_PUBLIC int mqttrpc_error_get_code(const MqttRpcError *error);
/* Never NULL. Borrowed. */
MQTTRPC_PUBLIC const char *mqttrpc_error_get_message(const MqttRpcError *error);
/* `data.name`: the D-Bus error name where there is one, else the name of the code; NULL if neither
 * is known. Borrowed. */
MQTTRPC_PUBLIC const char *mqttrpc_error_get_name(const MqttRpcError *error);
/* `data` as JSON text, as it came or as it will travel; NULL if there is none. Borrowed, valid
 * until the error changes. */
MQTTRPC_PUBLIC const char *mqttrpc_error_get_data(const MqttRpcError *error);
MQTTRPC_PUBLIC MqttRpcExecuted mqttrpc_error_get_executed(const MqttRpcError *error);
/* True if the peer sent it, false if it was made in this process. */
MQTTRPC_PUBLIC bool mqttrpc_error_is_remote(const MqttRpcError *error);
/* The negative errno of its code (-EACCES for ACCESS_DENIED, -EREMOTEIO for application codes). */
MQTTRPC_PUBLIC int mqttrpc_error_get_errno(const MqttRpcError *error);

/* Members of `data`. Return 0 or -ENOMEM; a NULL error is accepted and ignored. In an error that a
 * peer sent the other members stay as they came; data that was no object becomes the member `value`
 * of one. */
MQTTRPC_PUBLIC int mqttrpc_error_set_name(MqttRpcError *error, const char *name);
MQTTRPC_PUBLIC int mqttrpc_error_set_field(MqttRpcError *error, const char *field);
MQTTRPC_PUBLIC int mqttrpc_error_set_detail(MqttRpcError *error, const char *detail);
MQTTRPC_PUBLIC int mqttrpc_error_set_retry_after(MqttRpcError *error, uint64_t msec);
MQTTRPC_PUBLIC int mqttrpc_error_set_executed(MqttRpcError *error, MqttRpcExecuted executed);

/* "ACCESS_DENIED" for -32001 and so on; NULL for application codes. A constant. */
MQTTRPC_PUBLIC const char *mqttrpc_error_code_to_name(int code);
/* The code of a negative errno (-EACCES → ACCESS_DENIED); INTERNAL for what the table lacks. */
MQTTRPC_PUBLIC int mqttrpc_error_code_from_errno(int negative_errno);

/* ---- the bus: one connection to a broker ---- */

typedef enum MqttRpcLogLevel {
        MQTTRPC_LOG_ERROR = 3,
        MQTTRPC_LOG_WARNING = 4,
        MQTTRPC_LOG_NOTICE = 5,
        MQTTRPC_LOG_INFO = 6,
        MQTTRPC_LOG_DEBUG = 7,
} MqttRpcLogLevel;

typedef void (*MqttRpcLogHandler)(MqttRpcLogLevel level, const char *text, void *userdata);

typedef enum MqttRpcState {
        MQTTRPC_STATE_CLOSED,     /* not opened yet, or closed */
        MQTTRPC_STATE_CONNECTING, /* resolving, connecting, logging in, subscribing */
        MQTTRPC_STATE_CONNECTED,  /* calls can be made and are received */
        MQTTRPC_STATE_WAITING,    /* lost or refused; the next attempt is scheduled */
} MqttRpcState;

/* Called at each change of state. `reason` says why, for WAITING; else NULL. Borrowed. */
typedef void (*MqttRpcStateHandler)(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason,
                                    void *userdata);

/* What can be limited with mqttrpc_bus_set_limit(). */
typedef enum MqttRpcLimit {
        MQTTRPC_LIMIT_PAYLOAD_BYTES,    /* of one request or reply; default 1 MiB */
        MQTTRPC_LIMIT_PENDING_CALLS,    /* own calls that wait for a reply; default 4,096 */
        MQTTRPC_LIMIT_SERVICE_INFLIGHT, /* requests in a service's hands; default 2,048 */
        MQTTRPC_LIMIT_CALLER_INFLIGHT,  /* the same, of one caller; default 1,024 */
        MQTTRPC_LIMIT_TIMEOUT_USEC,     /* the server's own limit for a request; default 24 h */
        MQTTRPC_LIMIT_RECONNECT_USEC, /* longest pause between attempts to connect; default 30 s */
} MqttRpcLimit;

/* A new, closed bus; the caller holds one reference. 0 or -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_bus_new(MqttRpcBus **ret_bus);
MQTTRPC_PUBLIC MqttRpcBus *mqttrpc_bus_ref(MqttRpcBus *bus);
/* Drops a reference; with the last one the bus is closed and freed, and pending calls end without a
 * callback. Accepts NULL, returns NULL. */
MQTTRPC_PUBLIC MqttRpcBus *mqttrpc_bus_unref(MqttRpcBus *bus);

/* Settings: allowed while the bus is closed, else -EISCONN. All strings are copied. -EINVAL for a
 * value that cannot be used. */

/* mqtt://[user[:password]@]host[:port], mqtts://…, unix:///path/of/socket. Default port 1883, 8883.
 * `ret_error` says what is wrong with a URI. */
MQTTRPC_PUBLIC int mqttrpc_bus_set_uri(MqttRpcBus *bus, const char *uri, MqttRpcError **ret_error);
/* `password` may be NULL. */
MQTTRPC_PUBLIC int mqttrpc_bus_set_credentials(MqttRpcBus *bus, const char *user,
                                               const char *password);
/* The MQTT client id; default: made by the library, unique. */
MQTTRPC_PUBLIC int mqttrpc_bus_set_client_id(MqttRpcBus *bus, const char *client_id);
/* The own caller level {me} (protocol section 2); default: the user name, else the client id. */
MQTTRPC_PUBLIC int mqttrpc_bus_set_caller(MqttRpcBus *bus, const char *caller);
/* The topic prefix {root}; default "mb1". */
MQTTRPC_PUBLIC int mqttrpc_bus_set_root(MqttRpcBus *bus, const char *root);
/* Files for mqtts://: the CA to trust (NULL: the system's), and the client's certificate and key
 * (both or none). */
MQTTRPC_PUBLIC int mqttrpc_bus_set_tls(MqttRpcBus *bus, const char *ca_file, const char *cert_file,
                                       const char *key_file);
/* 5 (default) or 4 for MQTT 3.1.1, which can call but not serve (protocol section 2). */
MQTTRPC_PUBLIC int mqttrpc_bus_set_protocol(MqttRpcBus *bus, int version);
/* Default QoS of own calls: 1 (default) or 0. */
MQTTRPC_PUBLIC int mqttrpc_bus_set_qos(MqttRpcBus *bus, int qos);
/* MQTT keep-alive in seconds, 5 … 65535; default 60. */
MQTTRPC_PUBLIC int mqttrpc_bus_set_keepalive(MqttRpcBus *bus, unsigned seconds);
MQTTRPC_PUBLIC int mqttrpc_bus_set_limit(MqttRpcBus *bus, MqttRpcLimit limit, uint64_t value);
MQTTRPC_PUBLIC void mqttrpc_bus_set_log_handler(MqttRpcBus *bus, MqttRpcLogHandler handler,
                                                void *userdata);
MQTTRPC_PUBLIC void mqttrpc_bus_set_state_handler(MqttRpcBus *bus, MqttRpcStateHandler handler,
                                                  void *userdata);

/* Starts connecting and keeps the connection up until mqttrpc_bus_close(), with pauses that grow
 * and are spread at random. Does not wait. Fails only on what no retry can cure: no URI, no usable
 * caller level, unreadable TLS files. */
MQTTRPC_PUBLIC int mqttrpc_bus_open(MqttRpcBus *bus, MqttRpcError **ret_error);
/* Blocks until the bus is connected, for `timeout_usec` at most, and processes meanwhile. On
 * failure `ret_error` has the reason of the last attempt. For programs without a loop. */
MQTTRPC_PUBLIC int mqttrpc_bus_wait_connected(MqttRpcBus *bus, uint64_t timeout_usec,
                                              MqttRpcError **ret_error);
/* Blocks until the broker has taken all that was sent, for `timeout_usec` at most, and processes
 * meanwhile. 0, -ETIMEDOUT, or -ENOTCONN if the connection is lost. For programs that are about to
 * close the bus: a broker that finds the connection closed when it acknowledges one message drops
 * those behind it. */
MQTTRPC_PUBLIC int mqttrpc_bus_flush(MqttRpcBus *bus, uint64_t timeout_usec);
/* Ends the connection in order: own services become OFFLINE, and outside of callbacks the broker is
 * given up to a second to take what was sent. Pending calls end with DISCONNECTED, their callbacks
 * run inside. */
MQTTRPC_PUBLIC void mqttrpc_bus_close(MqttRpcBus *bus);

/* What the state handler was told last. */
MQTTRPC_PUBLIC MqttRpcState mqttrpc_bus_get_state(const MqttRpcBus *bus);
/* The own caller level, known from mqttrpc_bus_open() on; else NULL. Borrowed. */
MQTTRPC_PUBLIC const char *mqttrpc_bus_get_caller(const MqttRpcBus *bus);
MQTTRPC_PUBLIC const char *mqttrpc_bus_get_root(const MqttRpcBus *bus);

/* For any event loop: before each poll ask for the file descriptor (it changes with each
 * connection; -ENOTCONN while there is none), the poll() events to wait for, and the time by which
 * mqttrpc_bus_process() must run whatever happens (USEC of CLOCK_MONOTONIC, UINT64_MAX: never). */
MQTTRPC_PUBLIC int mqttrpc_bus_get_fd(const MqttRpcBus *bus);
MQTTRPC_PUBLIC int mqttrpc_bus_get_events(const MqttRpcBus *bus);
MQTTRPC_PUBLIC int mqttrpc_bus_get_timeout(const MqttRpcBus *bus, uint64_t *ret_usec);
/* Tells one descriptor from the next, which may have the same number: a count, > 0 while there is a
 * descriptor. */
MQTTRPC_PUBLIC uint64_t mqttrpc_bus_get_connection(const MqttRpcBus *bus);
/* Does what there is to do without waiting, and calls the callbacks. Returns > 0 if something was
 * done and it is worth calling again, 0 if there is nothing to do now. Connection trouble is not a
 * failure: it is reported to the state handler and retried. */
MQTTRPC_PUBLIC int mqttrpc_bus_process(MqttRpcBus *bus);
/* The same for loops that know what poll() said: `revents` are its bits, 0 when only the time is
 * due. Spares reading from a socket that has nothing to read. */
MQTTRPC_PUBLIC int mqttrpc_bus_process_events(MqttRpcBus *bus, int revents);
/* Waits, for `timeout_usec` at most (UINT64_MAX: for ever), until mqttrpc_bus_process() has
 * something to do: > 0; 0 when the time is over. */
MQTTRPC_PUBLIC int mqttrpc_bus_wait(MqttRpcBus *bus, uint64_t timeout_usec);

/* ---- slots ---- */

/* A slot stands for a pending call or a registration; dropping the last reference cancels it. Where
 * a function takes `MqttRpcSlot **ret_slot`, NULL leaves the registration to the bus. A slot that
 * the caller keeps must be unreferenced before or after the bus, in any order. */
MQTTRPC_PUBLIC MqttRpcSlot *mqttrpc_slot_ref(MqttRpcSlot *slot);
MQTTRPC_PUBLIC MqttRpcSlot *mqttrpc_slot_unref(MqttRpcSlot *slot);

/* ---- values as JSON (protocol sections 3 and 8) ---- */

/* JSON text from C values. `types` are D-Bus signatures, and say what follows for each value:
 *
 *   y n q i    int (also for a narrower variable; what is beyond the type is refused, -ERANGE)
 *   u          unsigned          b        int or bool
 *   x, t       int64_t, uint64_t: cast literals
 *   d          double; NaN and the infinities become strings
 *   s o g      const char *: UTF-8, object paths and signatures are checked
 *   ay         unsigned, const void *: so many bytes, written in base64
 *   aT         unsigned, then so many times what T takes
 *   (T…)       what its members take
 *   a{kT}      unsigned, then so many times what k and T take
 *   v          const char *: JSON text of any one value, checked
 *
 * -EINVAL for bad types, a bad text or a dict with a key twice, -E2BIG if it nests deeper than 28
 * levels, -EMSGSIZE for more values than a receiver takes, -ENOMEM. The text is the caller's, who
 * frees it with free(). */

/* The value of one complete type. */
MQTTRPC_PUBLIC int mqttrpc_json_value(char **ret_text, const char *type, ...);
MQTTRPC_PUBLIC int mqttrpc_json_value_va(char **ret_text, const char *type, va_list args);
/* The values of all types as an array, as mqttrpc_call() wants its `params`; "[]" for "". */
MQTTRPC_PUBLIC int mqttrpc_json_params(char **ret_text, const char *types, ...);
MQTTRPC_PUBLIC int mqttrpc_json_params_va(char **ret_text, const char *types, va_list args);

/* The functions named …_read() are the mirror image, for the types that C has a pointer for: y
 * uint8_t *, b bool *, n int16_t *, q uint16_t *, i int32_t *, u uint32_t *, x int64_t *, t
 * uint64_t *, d double *; s o g const char **; ay const void **, size_t *; v const char **, the
 * JSON text of any value. NULL for what is not wanted. Texts and bytes are borrowed and live as
 * long as what was read from. -EINVAL for types that cannot be read, and unless the value is of
 * exactly these; -ERANGE for a number that does not fit; then nothing has been written. */

/* ---- calling (protocol sections 3 to 5) ---- */

typedef enum MqttRpcCallFlags {
        MQTTRPC_CALL_DEFAULT = 0,
        MQTTRPC_CALL_QOS0 = 1 << 0, /* the shortest way; a refusal shows as a time-out */
        MQTTRPC_CALL_QOS1 = 1 << 1,
} MqttRpcCallFlags;

/* Called exactly once for each call, unless its slot or the bus is freed before; also when there is
 * no memory for the reply, with an error that says so (its errno is -ENOMEM). The reply is
 * borrowed. The return value is ignored. */
typedef int (*MqttRpcReplyHandler)(MqttRpcReply *reply, void *userdata);

/* Calls {service}/{object}/{method}. `params` is a JSON array or object, or NULL for none.
 * `timeout_usec` 0 means 25 s; at most 24 h. Fails at once, without a callback: -EINVAL (a name or
 * params), -ENOTCONN (DISCONNECTED; nothing will be sent later), -ENOENT (NO_SERVICE: known not to
 * be there), -EBUSY (too many pending calls), -EMSGSIZE, -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_call_async(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                      const char *object, const char *method, const char *params,
                                      uint64_t timeout_usec, MqttRpcCallFlags flags,
                                      MqttRpcReplyHandler handler, void *userdata,
                                      MqttRpcError **ret_error);

/* The same, blocking, for plain programs; not inside a callback (-EBUSY). Other callbacks of the
 * bus run meanwhile. Returns 0 and the reply, or the errno of the error, which is in `ret_error`
 * (also when the peer sent it). */
MQTTRPC_PUBLIC int mqttrpc_call(MqttRpcBus *bus, const char *service, const char *object,
                                const char *method, const char *params, uint64_t timeout_usec,
                                MqttRpcCallFlags flags, MqttRpcReply **ret_reply,
                                MqttRpcError **ret_error);

/* Called for each item that the service sends before its answer (protocol section 6), any number of
 * times. The item is borrowed for the time of the callback, in which the slot of the call may be
 * dropped, and the bus. */
typedef void (*MqttRpcProgressHandler)(const MqttRpcProgress *progress, void *userdata);

/* The value as JSON text, exact to the digit, NUL-terminated. Borrowed. */
MQTTRPC_PUBLIC const char *mqttrpc_progress_get_value(const MqttRpcProgress *progress,
                                                      size_t *ret_length);
/* Its number: 1, 2, 3 … for one call. It only grows; a gap means that items were lost, as can
 * happen at QoS 0. */
MQTTRPC_PUBLIC uint64_t mqttrpc_progress_get_seq(const MqttRpcProgress *progress);

/* mqttrpc_call_async() for methods that report progress, or send their results one by one.
 * `progress_handler` NULL: as mqttrpc_call_async(), nothing is asked for. `idle_usec` > 0 ends the
 * call with TIMEOUT when nothing at all has come for so long; each item begins that time anew. The
 * whole takes `timeout_usec` at most, as ever. */
MQTTRPC_PUBLIC int mqttrpc_call_more_async(
        MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service, const char *object,
        const char *method, const char *params, uint64_t timeout_usec, uint64_t idle_usec,
        MqttRpcCallFlags flags, MqttRpcProgressHandler progress_handler,
        MqttRpcReplyHandler reply_handler, void *userdata, MqttRpcError **ret_error);

/* Asks the service to end a call that waits. The call goes on to wait, and ends with what the
 * service answers (normally CANCELLED; its result, if that was on its way), its time-out or a loss.
 * Dropping the slot as well is the way not to hear of it. The caller needs the right to call
 * rpc.cancel on the object; a broker that refuses it, and a service that does not know it, do so
 * silently. 0: it is on its way; -EALREADY: the call has ended, -EINVAL: the slot is of something
 * else; else as mqttrpc_notify(). Protocol section 6. */
MQTTRPC_PUBLIC int mqttrpc_call_cancel(MqttRpcSlot *slot);

/* For whom a gateway calls (protocol section 4). What a gateway says of others is as good as the
 * gateway: a service believes only those that it has been told to trust. */
typedef struct MqttRpcOrigin {
        unsigned hops;           /* gateways crossed so far, the caller included */
        const char *dbus_sender; /* unique name on D-Bus; NULL: none */
        const char *dbus_uid;    /* its user id, in decimal; NULL: not known */
} MqttRpcOrigin;

/* mqttrpc_call_async() for gateways, who tell for whom they call. `handler` NULL: a notification,
 * as mqttrpc_notify(). By MQTT 3.1.1 the origin is not sent. */
MQTTRPC_PUBLIC int mqttrpc_call_for_async(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                          const char *service, const char *object,
                                          const char *method, const char *params,
                                          uint64_t timeout_usec, const MqttRpcOrigin *origin,
                                          MqttRpcReplyHandler handler, void *userdata,
                                          MqttRpcError **ret_error);

/* Sends a notification: no reply comes, not even an error. Failures as mqttrpc_call_async(). */
MQTTRPC_PUBLIC int mqttrpc_notify(MqttRpcBus *bus, const char *service, const char *object,
                                  const char *method, const char *params, MqttRpcCallFlags flags,
                                  MqttRpcError **ret_error);

/* Sends a notification at QoS 1 and tells what the broker says to it. `handler` is called once:
 * with the result null when the broker has taken it, ACCESS_DENIED when it refuses it, NO_SERVICE
 * when nobody has subscribed, DISCONNECTED when the connection is lost before, TIMEOUT after
 * `timeout_usec` (0 means 25 s; at most 24 h), which is also what the service is told. It says
 * nothing of the method, which may still fail. By MQTT 3.1.1 a broker does not say that it refuses,
 * or that nobody is there: null then. Dropping the slot only gives up the callback. Failures at
 * once as those of mqttrpc_call_async(); such a notification counts as a pending call. Protocol
 * section 5. */
MQTTRPC_PUBLIC int mqttrpc_notify_ack(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                      const char *object, const char *method, const char *params,
                                      uint64_t timeout_usec, MqttRpcReplyHandler handler,
                                      void *userdata, MqttRpcError **ret_error);

/* A reply handler that wants to keep its reply takes a reference. unref() accepts NULL and returns
 * NULL. */
MQTTRPC_PUBLIC MqttRpcReply *mqttrpc_reply_ref(MqttRpcReply *reply);
MQTTRPC_PUBLIC MqttRpcReply *mqttrpc_reply_unref(MqttRpcReply *reply);
/* The error, or NULL if the call succeeded. Borrowed. */
MQTTRPC_PUBLIC const MqttRpcError *mqttrpc_reply_get_error(const MqttRpcReply *reply);
/* The result as JSON text, exact to the digit, NUL-terminated; NULL with an error. Borrowed. */
MQTTRPC_PUBLIC const char *mqttrpc_reply_get_result(const MqttRpcReply *reply, size_t *ret_length);
/* The result as a cJSON tree, parsed at the first use; NULL with an error or without memory.
 * Integers beyond ±(2^53-1) are not exact there. Borrowed. */
MQTTRPC_PUBLIC const struct cJSON *mqttrpc_reply_get_value(MqttRpcReply *reply);
/* Reads the result: without types null, with one its value, with several an array. Of a call that
 * failed the errno of its error. */
MQTTRPC_PUBLIC int mqttrpc_reply_read(MqttRpcReply *reply, const char *types, ...);

/* ---- serving ---- */

/* What a vtable says of a member. A member without an access class is of class `admin`. */
typedef enum MqttRpcMemberFlags {
        MQTTRPC_DEFAULT = 0,
        MQTTRPC_ACCESS_READ = 1 << 0, /* access class `read`: a method may be called by rpc/ */
        MQTTRPC_METHOD_IDEMPOTENT = 1 << 1, /* a repeated call does no harm */
        MQTTRPC_SENSITIVE = 1 << 2, /* a method's result is never kept for duplicates, a property is
                                       never published */
        MQTTRPC_ACCESS_CONTROL = 1 << 3,  /* access class `control` */
        MQTTRPC_METHOD_CONST = 1 << 4,    /* the result never changes */
        MQTTRPC_METHOD_NO_REPLY = 1 << 5, /* meant to be called as a notification */
        MQTTRPC_DEPRECATED = 1 << 6,
        MQTTRPC_PROPERTY_CONST = 1 << 7,       /* does not change while the service runs */
        MQTTRPC_PROPERTY_INVALIDATES = 1 << 8, /* a change is told by the signal rpc.invalidated,
                                                  without the value, which is not retained */
        MQTTRPC_PROPERTY_NO_SIGNAL = 1 << 9,   /* changes are not told; neither is it retained */
} MqttRpcMemberFlags;

/* Answers a request: with mqttrpc_request_reply() or …_reply_error() before it returns, or later,
 * after mqttrpc_request_ref(). A negative return without an answer becomes an error reply: the one
 * in *ret_error, else the one of that errno. Returning ≥ 0 with neither answer nor reference is
 * answered with INTERNAL. */
typedef int (*MqttRpcMethodHandler)(MqttRpcRequest *request, void *userdata,
                                    MqttRpcError **ret_error);

/* Gives the present value of a property, by exactly one of the mqttrpc_value_set functions. Called
 * whenever the value is needed: to publish it, and for prop.get and prop.getall. Must not block. A
 * negative return: there is no value now; the reason in *ret_error, else that of the errno. */
typedef int (*MqttRpcGetHandler)(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error);

typedef enum MqttRpcMemberType {
        MQTTRPC_MEMBER_END,
        MQTTRPC_MEMBER_METHOD,
        MQTTRPC_MEMBER_SIGNAL,
        MQTTRPC_MEMBER_PROPERTY,
        MQTTRPC_MEMBER_INTERFACE,
} MqttRpcMemberType;

/* One line of a vtable. Use the macros; the layout is part of the ABI. */
typedef struct MqttRpcMember {
        MqttRpcMemberType type;
        const char *name;
        const char *params;           /* "name:type" separated by spaces, e.g. "zone:s degrees:d" */
        const char *result;           /* a type, or "" for none (null); the type of a property */
        MqttRpcMethodHandler handler; /* of a method; sets a property */
        MqttRpcGetHandler get;
        uint64_t flags; /* MqttRpcMemberFlags */
} MqttRpcMember;

/* Types are D-Bus signatures: b y n q i u x t d s o g, aT, (T…), a{kT}, v for any JSON value. */
#define MQTTRPC_METHOD(name_, params_, result_, handler_, flags_)                                \
        {                                                                                        \
                MQTTRPC_MEMBER_METHOD, (name_), (params_), (result_), (handler_), NULL, (flags_) \
        }
#define MQTTRPC_SIGNAL(name_, params_, flags_)                                      \
        {                                                                           \
                MQTTRPC_MEMBER_SIGNAL, (name_), (params_), "", NULL, NULL, (flags_) \
        }
#define MQTTRPC_PROPERTY(name_, type_, get_, flags_)                                  \
        {                                                                             \
                MQTTRPC_MEMBER_PROPERTY, (name_), "", (type_), NULL, (get_), (flags_) \
        }
/* `set_` is a method handler: the request's only argument is the new value, of the declared type;
 * mqttrpc_request_get_property() names the property. It answers as a method does, at once or later.
 * When it answers with success, the library asks `get_` for the value and publishes it, and then
 * sends the answer; what the handler gave as result is not sent, prop.set returns null. */
#define MQTTRPC_WRITABLE_PROPERTY(name_, type_, get_, set_, flags_)                     \
        {                                                                               \
                MQTTRPC_MEMBER_PROPERTY, (name_), "", (type_), (set_), (get_), (flags_) \
        }
/* The members that follow belong to this interface: descriptions ($api, $meta) say so, and a
 * gateway shows them by it on D-Bus. It is no part of topics, so names are unique in the whole
 * vtable. */
#define MQTTRPC_INTERFACE(name_)                                             \
        {                                                                    \
                MQTTRPC_MEMBER_INTERFACE, (name_), NULL, NULL, NULL, NULL, 0 \
        }
#define MQTTRPC_END                                                 \
        {                                                           \
                MQTTRPC_MEMBER_END, NULL, NULL, NULL, NULL, NULL, 0 \
        }

/* Serves `object` of `service` with a vtable, which must stay valid. Arguments are checked against
 * the declared types, and put in order if they came by name, before a handler sees them. -EEXIST if
 * the object has a vtable already, -EINVAL for a bad name or signature, -EPROTONOSUPPORT on a
 * 3.1.1 bus. */
MQTTRPC_PUBLIC int mqttrpc_add_object(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                      const char *object, const MqttRpcMember *vtable,
                                      void *userdata, MqttRpcError **ret_error);
/* mqttrpc_add_object() for the root object "-". */
MQTTRPC_PUBLIC int mqttrpc_add_service(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                       const MqttRpcMember *vtable, void *userdata,
                                       MqttRpcError **ret_error);
/* Serves what no vtable of `service` takes, all objects and methods: for gateways and proxies. */
MQTTRPC_PUBLIC int mqttrpc_add_fallback(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                        const char *service, MqttRpcMethodHandler handler,
                                        void *userdata, MqttRpcError **ret_error);

/* A handler that answers later takes a reference. */
MQTTRPC_PUBLIC MqttRpcRequest *mqttrpc_request_ref(MqttRpcRequest *request);
/* Dropping the last reference of a request that was not answered answers it with INTERNAL, or, if
 * it was cancelled, with CANCELLED. */
MQTTRPC_PUBLIC MqttRpcRequest *mqttrpc_request_unref(MqttRpcRequest *request);

/* All borrowed, valid as long as the request. */
MQTTRPC_PUBLIC const char *mqttrpc_request_get_service(const MqttRpcRequest *request);
MQTTRPC_PUBLIC const char *mqttrpc_request_get_object(const MqttRpcRequest *request);
MQTTRPC_PUBLIC const char *mqttrpc_request_get_method(const MqttRpcRequest *request);
/* Who calls, as vouched for by the broker's ACL (protocol section 1). */
MQTTRPC_PUBLIC const char *mqttrpc_request_get_caller(const MqttRpcRequest *request);
/* The parameters as they came: a JSON array or object, NUL-terminated, validated; "[]" if absent.
 * For a vtable method they have been checked and are always an array. */
MQTTRPC_PUBLIC const char *mqttrpc_request_get_params(const MqttRpcRequest *request,
                                                      size_t *ret_length);
/* The parameters as a cJSON tree, parsed at the first use; NULL without memory. */
MQTTRPC_PUBLIC const struct cJSON *mqttrpc_request_get_value(MqttRpcRequest *request);
/* Argument `index` of a vtable method, as its declared type. -ENOENT: no such argument, -EINVAL: of
 * another kind, -ERANGE: does not fit. The string is borrowed. */
MQTTRPC_PUBLIC int mqttrpc_request_get_boolean(MqttRpcRequest *request, unsigned index,
                                               bool *ret_value);
MQTTRPC_PUBLIC int mqttrpc_request_get_int64(MqttRpcRequest *request, unsigned index,
                                             int64_t *ret_value);
MQTTRPC_PUBLIC int mqttrpc_request_get_uint64(MqttRpcRequest *request, unsigned index,
                                              uint64_t *ret_value);
MQTTRPC_PUBLIC int mqttrpc_request_get_double(MqttRpcRequest *request, unsigned index,
                                              double *ret_value);
MQTTRPC_PUBLIC int mqttrpc_request_get_string(MqttRpcRequest *request, unsigned index,
                                              const char **ret_value);
/* Reads all arguments, if they came by position or for a vtable method. */
MQTTRPC_PUBLIC int mqttrpc_request_read(MqttRpcRequest *request, const char *types, ...);
/* When the caller stops waiting, CLOCK_MONOTONIC. Later answers are dropped. */
MQTTRPC_PUBLIC uint64_t mqttrpc_request_get_deadline(const MqttRpcRequest *request);
/* Gives a request other than the default 25 s, counted from now and at most the bus's own limit,
 * where its caller has set no time. -EPERM where the caller has; -EALREADY after the answer. */
MQTTRPC_PUBLIC int mqttrpc_request_set_timeout(MqttRpcRequest *request, uint64_t timeout_usec);
/* The answer holds a secret: it is not kept for duplicates. What METHOD_SENSITIVE does for vtables.
 */
MQTTRPC_PUBLIC void mqttrpc_request_set_sensitive(MqttRpcRequest *request);
/* True if no answer is wanted; answering is allowed and does nothing. */
MQTTRPC_PUBLIC bool mqttrpc_request_is_notification(const MqttRpcRequest *request);
/* True if it came by the generic endpoint rpc/, where ACLs per method do not reach: only members of
 * access class `read` may be served (protocol section 3). Vtables see to that by themselves. */
MQTTRPC_PUBLIC bool mqttrpc_request_is_generic(const MqttRpcRequest *request);
/* How many gateways it has crossed (user property `hops`); 0 from an ordinary client. */
MQTTRPC_PUBLIC unsigned mqttrpc_request_get_hops(const MqttRpcRequest *request);
/* For whom a gateway calls, as it says: unique name and user id (decimal) of a D-Bus client; NULL
 * if it does not say. To be believed only of callers that are trusted to be gateways. Borrowed. */
MQTTRPC_PUBLIC const char *mqttrpc_request_get_dbus_sender(const MqttRpcRequest *request);
MQTTRPC_PUBLIC const char *mqttrpc_request_get_dbus_uid(const MqttRpcRequest *request);

/* Answers with a result: one JSON value, trusted to be valid JSON; `length` SIZE_MAX: up to the
 * NUL; NULL text: null. May be called outside of callbacks. -EALREADY if answered before,
 * -ECANCELED if the library has answered it because its caller has cancelled it,
 * -ETIMEDOUT after the deadline, -ENOTCONN when the connection the request came by is gone,
 * -EMSGSIZE if the reply is too large (then TOO_LARGE has been sent instead). -ENOBUFS when too
 * much waits for a slow broker already, and -ENOMEM: the answer is lost, counted as
 * DROPPED_REPLIES, and its caller will time out (protocol section 5). The request is over in all
 * these cases. */
MQTTRPC_PUBLIC int mqttrpc_request_reply(MqttRpcRequest *request, const char *result,
                                         size_t length);
/* Answers with the values of `types`, as mqttrpc_json_value() takes them: null without types, with
 * one its value, with several an array. Failures of mqttrpc_request_reply(), and those of
 * mqttrpc_json_value(), after which INTERNAL has been sent instead. */
MQTTRPC_PUBLIC int mqttrpc_request_reply_values(MqttRpcRequest *request, const char *types, ...);
/* Answers with an error; the error stays the caller's. NULL: INTERNAL. */
MQTTRPC_PUBLIC int mqttrpc_request_reply_error(MqttRpcRequest *request, const MqttRpcError *error);

/* True if the caller has asked for progress. Never for notifications and in batches. */
MQTTRPC_PUBLIC bool mqttrpc_request_wants_progress(const MqttRpcRequest *request);
/* Tells the caller how far the request is: one JSON value, taken as by mqttrpc_request_reply(). At
 * most 10 in a second are sent. What comes sooner, or while the outbound queue is full, is held
 * back until its time, or until the answer, and a newer one takes its place. 0 also when the caller
 * has not asked, and nothing is sent. -EALREADY after the answer, -ECANCELED when the library has
 * answered it because it was cancelled, -ETIMEDOUT after the deadline, -ENOTCONN when the
 * connection the request came by is gone, -EMSGSIZE, -ENOMEM; the request goes on all the same. It
 * is not kept for duplicates: who repeats a running request gets what is sent from then on. May be
 * called outside of callbacks. Protocol section 6. */
MQTTRPC_PUBLIC int mqttrpc_request_progress(MqttRpcRequest *request, const char *value,
                                            size_t length);
/* Sends one of many results, each of them and in order; the answer ends them. Failures as above,
 * and -ENOBUFS when too much waits for a slow broker: nothing was sent, try again when the bus has
 * been processed; -EOPNOTSUPP when the caller has not asked for more than one reply. */
MQTTRPC_PUBLIC int mqttrpc_request_more(MqttRpcRequest *request, const char *value, size_t length);

/* Called when the caller cancels the request, at most once. The request is borrowed. The handler
 * answers it, there or later, with CANCELLED or whatever is true by then, as after any other end of
 * the work. It may drop references; dropping the last one answers CANCELLED. */
typedef void (*MqttRpcCancelHandler)(MqttRpcRequest *request, void *userdata);

/* Sees to it that `handler` is called when the request is cancelled. Without one, or with NULL, the
 * library answers CANCELLED (executed: maybe) itself at that moment, and later answers return
 * -ECANCELED; such a request counts as in hand until its last reference is dropped. -ECANCELED when
 * it has been cancelled before, -EALREADY after the answer, -ETIMEDOUT after the deadline. Protocol
 * section 6. */
MQTTRPC_PUBLIC int mqttrpc_request_set_cancel_handler(MqttRpcRequest *request,
                                                      MqttRpcCancelHandler handler, void *userdata);
/* True once its caller has cancelled it: for methods that look now and then whether to go on. */
MQTTRPC_PUBLIC bool mqttrpc_request_is_cancelled(const MqttRpcRequest *request);

/* The property that prop.set is about; NULL for ordinary methods. Borrowed. */
MQTTRPC_PUBLIC const char *mqttrpc_request_get_property(const MqttRpcRequest *request);

/* ---- serving: properties (protocol section 7) ---- */

/* In a get handler: the value, one complete type followed by C values as for
 * mqttrpc_json_value(), or as JSON text (`length` SIZE_MAX: up to the NUL), which is checked. The
 * type must be the declared one. -EINVAL, -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_value_set(MqttRpcValue *value, const char *type, ...);
MQTTRPC_PUBLIC int mqttrpc_value_set_json(MqttRpcValue *value, const char *text, size_t length);
/* What is asked for. Borrowed, for the time of the handler. */
MQTTRPC_PUBLIC const char *mqttrpc_value_get_service(const MqttRpcValue *value);
MQTTRPC_PUBLIC const char *mqttrpc_value_get_object(const MqttRpcValue *value);
MQTTRPC_PUBLIC const char *mqttrpc_value_get_property(const MqttRpcValue *value);

/* To be called when a property of a vtable has changed: asks for its value and publishes it, unless
 * it is the one that was published last; for INVALIDATES properties tells that it has changed.
 * Without a connection it is published with the next one. -ENOENT: no such object or property;
 * else what the get handler returned, or -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_property_changed(MqttRpcBus *bus, const char *service,
                                            const char *object, const char *property);

/* For gateways and proxies, whose services have a fallback: objects and properties without a
 * vtable. `value` is JSON text (`length` SIZE_MAX: up to the NUL), trusted to be valid, and kept,
 * so that it can be published again after a loss of the connection; unless it has changed nothing
 * is sent. A NULL value takes the property away. The object is made if need be, and -EEXIST if it
 * has a vtable. -ENOENT: no such service, -EINVAL: a name, -EMSGSIZE, -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_property_publish(MqttRpcBus *bus, const char *service,
                                            const char *object, const char *property,
                                            const char *value, size_t length);
/* What was published last; -ENOENT: nothing. Borrowed, valid until the property changes. */
MQTTRPC_PUBLIC int mqttrpc_property_get_published(MqttRpcBus *bus, const char *service,
                                                  const char *object, const char *property,
                                                  const char **ret_value, size_t *ret_length);
/* Announces an object: publishes its $meta, after its properties. `interfaces` is a NULL-terminated
 * list of names, or NULL. To be called again when they change. Failures as
 * mqttrpc_property_publish(). */
MQTTRPC_PUBLIC int mqttrpc_object_announce(MqttRpcBus *bus, const char *service, const char *object,
                                           const char *const *interfaces);
/* Takes an object without vtable away: its $meta first, then its properties. -ENOENT. */
MQTTRPC_PUBLIC int mqttrpc_object_remove(MqttRpcBus *bus, const char *service, const char *object);

/* ---- serving: signals (protocol section 7) ---- */

typedef enum MqttRpcSignalFlags {
        MQTTRPC_SIGNAL_DEFAULT = 0,
        MQTTRPC_SIGNAL_QOS0 = 1 << 0, /* may get lost, and may overtake others */
} MqttRpcSignalFlags;

/* Emits a signal: its arguments as for mqttrpc_json_params(), by types and C values, or as JSON
 * text, an array or object (`length` SIZE_MAX: up to the NUL), trusted to be valid; NULL: none. For
 * an object with a vtable the signal must be declared there, with these types (-ENOENT, -EINVAL).
 * Without a connection, or while the broker is slow, signals wait, in order; beyond the limits of
 * the library the oldest are dropped and counted, which receivers see by `seq`; so is one that
 * cannot be sent. -ENOENT: no such service or object, -ESTALE: another instance has taken over from
 * the service, which says nothing more, -EMSGSIZE, -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_emit_signal(MqttRpcBus *bus, const char *service, const char *object,
                                       const char *signal, const char *types, ...);
MQTTRPC_PUBLIC int mqttrpc_emit_signal_json(MqttRpcBus *bus, const char *service,
                                            const char *object, const char *signal,
                                            const char *params, size_t length,
                                            MqttRpcSignalFlags flags);
/* How many signals of the service could not be emitted, or were dropped while they waited, since it
 * was added: the sum over all services is MQTTRPC_COUNT_SIGNALS_DROPPED. 0 if there is none. */
MQTTRPC_PUBLIC uint64_t mqttrpc_service_get_dropped_signals(MqttRpcBus *bus, const char *service);

/* ---- serving: presence (protocol section 7) ---- */

/* The state of a service, as its `$state` says. */
typedef enum MqttRpcServiceState {
        MQTTRPC_SERVICE_UNKNOWN, /* there is no `$state`, or none is known */
        MQTTRPC_SERVICE_INIT,    /* starting */
        MQTTRPC_SERVICE_CLAIM,   /* about to take over from another instance, which still works */
        MQTTRPC_SERVICE_READY,
        MQTTRPC_SERVICE_OFFLINE, /* has ended in order, or its host has */
        MQTTRPC_SERVICE_LOST,    /* has ended without a word, or its host has */
} MqttRpcServiceState;

/* "ready" and so on; "unknown". A constant. */
MQTTRPC_PUBLIC const char *mqttrpc_service_state_to_name(MqttRpcServiceState state);

/* The service whose `$state` is the Will of the connection; the others are told to be hosted by it
 * (`via`). Default: the first that is added. Add services, or set the host, before
 * mqttrpc_bus_open(): a change of the host makes an open bus connect anew, whereby pending calls
 * end with DISCONNECTED. -ENOENT: no such service. */
MQTTRPC_PUBLIC int mqttrpc_bus_set_host(MqttRpcBus *bus, const char *service);
/* What `$state` says: READY from the start, unless INIT or OFFLINE is set. -ENOENT, -EINVAL. */
MQTTRPC_PUBLIC int mqttrpc_service_set_state(MqttRpcBus *bus, const char *service,
                                             MqttRpcServiceState state);
/* Whether another instance has taken over from an own service that was ready (protocol section 7).
 * It is silent until that one has gone, and comes back by itself. */
MQTTRPC_PUBLIC bool mqttrpc_service_is_superseded(MqttRpcBus *bus, const char *service);
/* A further member of `$state`: `value` is JSON text; NULL takes it away. Known ones: "ver"
 * (version of the service), "summary", "running" (false: activated by a call), "origin". -EINVAL
 * for the members that the library writes itself and for bad JSON, -ENOENT, -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_service_set_detail(MqttRpcBus *bus, const char *service, const char *key,
                                              const char *value);
/* A new epoch, for gateways: what is behind the service is another one now. -ENOENT. */
MQTTRPC_PUBLIC int mqttrpc_service_renew(MqttRpcBus *bus, const char *service);
/* 16 hex digits; NULL: no such service. Borrowed. */
MQTTRPC_PUBLIC const char *mqttrpc_service_get_epoch(MqttRpcBus *bus, const char *service);
/* The description that `$api` and rpc.discover give, JSON text, for services without vtables; NULL
 * takes it away. -ENOENT, -EINVAL (not JSON), -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_service_set_description(MqttRpcBus *bus, const char *service,
                                                   const char *description);
/* Makes the service a member of a pool of equal ones: calls of `service` are shared out among the
 * members by the broker; as {service}.i-{instance} this one can be called alone, and under that
 * name it has its state, objects, properties and signals. Before mqttrpc_bus_open() only
 * (-EISCONN). -ENOENT, -EINVAL, -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_service_set_pool(MqttRpcBus *bus, const char *service,
                                            const char *instance);

/* ---- watching others (protocol section 7) ---- */

/* Below, names of services, objects, signals and properties may be NULL, which stands for any.
 * Handlers are called for what comes from then on and, but for signals, at once or soon for what is
 * there already. The event is borrowed for the time of the handler, as are its texts. After a loss
 * of the connection everything is subscribed again. -EINVAL for a bad name, -ENOMEM. */

typedef void (*MqttRpcSignalHandler)(const MqttRpcSignal *signal, void *userdata);
typedef void (*MqttRpcPropertyHandler)(const MqttRpcPropertyEvent *event, void *userdata);
typedef void (*MqttRpcObjectHandler)(const MqttRpcObjectEvent *event, void *userdata);
typedef void (*MqttRpcServiceHandler)(const MqttRpcServiceEvent *event, void *userdata);
typedef void (*MqttRpcDescriptionHandler)(const MqttRpcDescriptionEvent *event, void *userdata);
typedef void (*MqttRpcCallMessageHandler)(const MqttRpcCallMessage *message, void *userdata);

/* Signals. */
MQTTRPC_PUBLIC int mqttrpc_match_signal(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                        const char *service, const char *object, const char *name,
                                        MqttRpcSignalHandler handler, void *userdata,
                                        MqttRpcError **ret_error);
MQTTRPC_PUBLIC const char *mqttrpc_signal_get_service(const MqttRpcSignal *signal);
MQTTRPC_PUBLIC const char *mqttrpc_signal_get_object(const MqttRpcSignal *signal);
MQTTRPC_PUBLIC const char *mqttrpc_signal_get_name(const MqttRpcSignal *signal);
/* The arguments: JSON text, an array or object; "[]" if there are none. */
MQTTRPC_PUBLIC const char *mqttrpc_signal_get_params(const MqttRpcSignal *signal,
                                                     size_t *ret_length);
/* Reads the arguments, which must have come by position. */
MQTTRPC_PUBLIC int mqttrpc_signal_read(const MqttRpcSignal *signal, const char *types, ...);
/* How many signals of this name and object got lost directly before this one. Known for senders
 * that number them (`seq`), from the second one on. */
MQTTRPC_PUBLIC uint64_t mqttrpc_signal_get_lost(const MqttRpcSignal *signal);

/* Properties: their values are also kept, so that they can be asked for. A value is stale while its
 * service is not ready or not known to be; the handler is called when that changes. */
MQTTRPC_PUBLIC int mqttrpc_watch_property(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                          const char *service, const char *object,
                                          const char *property, MqttRpcPropertyHandler handler,
                                          void *userdata, MqttRpcError **ret_error);
MQTTRPC_PUBLIC const char *mqttrpc_property_event_get_service(const MqttRpcPropertyEvent *event);
MQTTRPC_PUBLIC const char *mqttrpc_property_event_get_object(const MqttRpcPropertyEvent *event);
MQTTRPC_PUBLIC const char *mqttrpc_property_event_get_property(const MqttRpcPropertyEvent *event);
/* JSON text; NULL: the property is gone. */
MQTTRPC_PUBLIC const char *mqttrpc_property_event_get_value(const MqttRpcPropertyEvent *event,
                                                            size_t *ret_length);
/* Reads the value, by one type. -ENOENT: the property is gone. */
MQTTRPC_PUBLIC int mqttrpc_property_event_read(const MqttRpcPropertyEvent *event, const char *types,
                                               ...);
MQTTRPC_PUBLIC bool mqttrpc_property_event_is_stale(const MqttRpcPropertyEvent *event);
/* The kept value of a watched property; -ENOENT: there is none. `watch` is a slot of
 * mqttrpc_watch_property(). The value is borrowed and valid until the bus is processed. */
MQTTRPC_PUBLIC int mqttrpc_watch_get_property(MqttRpcSlot *watch, const char *service,
                                              const char *object, const char *property,
                                              const char **ret_value, bool *ret_stale);

/* Objects: their `$meta`. */
MQTTRPC_PUBLIC int mqttrpc_watch_object(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                        const char *service, const char *object,
                                        MqttRpcObjectHandler handler, void *userdata,
                                        MqttRpcError **ret_error);
MQTTRPC_PUBLIC const char *mqttrpc_object_event_get_service(const MqttRpcObjectEvent *event);
MQTTRPC_PUBLIC const char *mqttrpc_object_event_get_object(const MqttRpcObjectEvent *event);
/* {"interfaces":[…],"props":[…]}; NULL: the object is gone. */
MQTTRPC_PUBLIC const char *mqttrpc_object_event_get_meta(const MqttRpcObjectEvent *event,
                                                         size_t *ret_length);

/* Descriptions: the `$api` of services, which says what rpc.discover says and can be read without a
 * grant. */
MQTTRPC_PUBLIC int mqttrpc_watch_description(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                             const char *service, MqttRpcDescriptionHandler handler,
                                             void *userdata, MqttRpcError **ret_error);
MQTTRPC_PUBLIC const char *mqttrpc_description_event_get_service(
        const MqttRpcDescriptionEvent *event);
/* An OpenRPC document, JSON text; NULL: there is none any more. */
MQTTRPC_PUBLIC const char *mqttrpc_description_event_get_document(
        const MqttRpcDescriptionEvent *event, size_t *ret_length);

/* Services. With the connection lost, the state of each is UNKNOWN until it is heard of again. */
MQTTRPC_PUBLIC int mqttrpc_watch_service(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                         const char *service, MqttRpcServiceHandler handler,
                                         void *userdata, MqttRpcError **ret_error);
MQTTRPC_PUBLIC const char *mqttrpc_service_event_get_service(const MqttRpcServiceEvent *event);
/* Its own state and that of its host together: READY is who can be called. */
MQTTRPC_PUBLIC MqttRpcServiceState
mqttrpc_service_event_get_state(const MqttRpcServiceEvent *event);
/* "" when there is none, as for a pool. */
MQTTRPC_PUBLIC const char *mqttrpc_service_event_get_epoch(const MqttRpcServiceEvent *event);
/* The service whose process hosts it; "" for none. */
MQTTRPC_PUBLIC const char *mqttrpc_service_event_get_host(const MqttRpcServiceEvent *event);
/* The whole `$state`, JSON text; NULL: there is none. */
MQTTRPC_PUBLIC const char *mqttrpc_service_event_get_details(const MqttRpcServiceEvent *event,
                                                             size_t *ret_length);
/* The same state for who does not watch; UNKNOWN for a service that has not been heard of. */
MQTTRPC_PUBLIC MqttRpcServiceState mqttrpc_bus_get_service_state(MqttRpcBus *bus,
                                                                 const char *service);
/* Blocks until the service is READY, for `timeout_usec` at most, and processes meanwhile; for
 * programs without a loop. 0, -ETIMEDOUT (TIMEOUT), -EINVAL, -EBUSY inside a callback. */
MQTTRPC_PUBLIC int mqttrpc_wait_service(MqttRpcBus *bus, const char *service, uint64_t timeout_usec,
                                        MqttRpcError **ret_error);

/* Calls of others, for monitors: requests and replies as they pass the broker, with what they carry
 * not looked at. Only what the access rules let the user read is seen: as a rule the calls of own
 * services, and own replies. A message may be seen twice if the bus has subscribed to it for itself
 * too; monitors use a bus of their own. Protocol section 2. */
MQTTRPC_PUBLIC int mqttrpc_monitor_calls(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                         const char *service, const char *object,
                                         MqttRpcCallMessageHandler handler, void *userdata,
                                         MqttRpcError **ret_error);
MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_service(const MqttRpcCallMessage *message);
MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_object(const MqttRpcCallMessage *message);
/* NULL at the generic endpoint rpc/, where the method is in the payload. */
MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_method(const MqttRpcCallMessage *message);
MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_caller(const MqttRpcCallMessage *message);
/* True for what comes from the service: a reply, or progress. */
MQTTRPC_PUBLIC bool mqttrpc_call_message_is_reply(const MqttRpcCallMessage *message);
/* As it came, which need not be JSON; NUL-terminated. */
MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_payload(const MqttRpcCallMessage *message,
                                                            size_t *ret_length);

/* Called once; `error` is NULL, or says why it could not be done (DISCONNECTED). */
typedef void (*MqttRpcSyncHandler)(MqttRpcBus *bus, const MqttRpcError *error, void *userdata);

/* Calls the handler as soon as all that the broker keeps (states, properties, objects) for what was
 * watched before this call has come: a list is complete then. -ENOTCONN, -ENOMEM. */
MQTTRPC_PUBLIC int mqttrpc_bus_sync_async(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                          MqttRpcSyncHandler handler, void *userdata);
/* The same, blocking, for `timeout_usec` at most: 0, -ETIMEDOUT, -ENOTCONN, -EBUSY inside a
 * callback. */
MQTTRPC_PUBLIC int mqttrpc_bus_sync(MqttRpcBus *bus, uint64_t timeout_usec);

/* Counters since the bus was made, for statistics and tests. */
typedef enum MqttRpcCounter {
        MQTTRPC_COUNT_REQUESTS,           /* received, well-formed, dispatched */
        MQTTRPC_COUNT_REPLIES,            /* sent, errors included */
        MQTTRPC_COUNT_ERRORS,             /* error replies among them */
        MQTTRPC_COUNT_DUPLICATES,         /* requests not executed again */
        MQTTRPC_COUNT_RETAINED_REFUSED,   /* retained messages at call topics */
        MQTTRPC_COUNT_BAD_RESPONSE_TOPIC, /* requests whose Response Topic broke the rule */
        MQTTRPC_COUNT_EXPIRED,            /* requests or replies past their deadline */
        MQTTRPC_COUNT_BUSY,               /* requests refused for a cap */
        MQTTRPC_COUNT_UNMATCHED_REPLIES,  /* replies and progress that match no pending call */
        MQTTRPC_COUNT_RECONNECTS,
        MQTTRPC_COUNT_DROPPED_REPLIES, /* lost here: the outbound queue was full, or memory */
        MQTTRPC_COUNT_SIGNALS,         /* emitted */
        MQTTRPC_COUNT_SIGNALS_DROPPED, /* of these, see mqttrpc_service_get_dropped_signals() */
        MQTTRPC_COUNT_SIGNALS_LOST,    /* of others, as their `seq` shows */
        MQTTRPC_COUNT_STATE_REFUSED,   /* states, values and signals of others that break a rule */
        MQTTRPC_COUNT_CANCELLED,       /* requests, by their callers */
        MQTTRPC_COUNT_UNMATCHED_CANCELS, /* cancelling what is not, or no longer, in hand */
        MQTTRPC_COUNT_MAX,
} MqttRpcCounter;
MQTTRPC_PUBLIC uint64_t mqttrpc_bus_get_counter(const MqttRpcBus *bus, MqttRpcCounter counter);

#ifdef __cplusplus
}
#endif

#endif
