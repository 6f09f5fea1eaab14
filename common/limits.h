/* SPDX-License-Identifier: MIT */
#pragma once

/* Every cap of the project, each with its reason. A peer-driven allocation, queue or recursion that
 * is not named here is a bug. */

#include <stdint.h>

/* Payload bytes of one request or reply. Larger than any sane D-Bus reply of a system service
 * (systemd's ListUnits is 150 KiB), small enough that 64 of them fit into an embedded device. */
#define LIMIT_PAYLOAD_BYTES (UINT32_C(1) << 20)

/* Nesting of JSON. D-Bus itself allows 64 containers (32 arrays, 32 structs); no known service goes
 * past 8, and every level costs a stack frame in every consumer. */
#define LIMIT_JSON_DEPTH 32U

/* Nesting of one D-Bus value in JSON, both ways. Outwards it leaves room for what is around it at
 * most: a batch, a response in it, an object of all properties in that, and one to spare. Inwards
 * it keeps a message within D-Bus's 64 levels, two of which a dict takes (beyond, dbus-daemon
 * throws the sender off the bus). */
#define LIMIT_VALUE_DEPTH (LIMIT_JSON_DEPTH - 4U)

/* Nodes (values and keys) of one JSON text: bounds the index of a hostile "[[],[],…" payload to
 * 20 bytes × this. */
#define LIMIT_JSON_NODES (UINT32_C(1) << 18)

/* Length of a service, method, signal, property or caller level (protocol section 2). */
#define LIMIT_NAME_LENGTH 255U

/* Length of an object level: D-Bus paths are unbounded, MQTT topics end at 65,535 bytes. */
#define LIMIT_OBJECT_LENGTH 1024U

/* Length of the root prefix; leaves room for all other levels within AWS IoT's 256 bytes. */
#define LIMIT_ROOT_LENGTH 255U

/* Items of one batch on an rpc/ topic (protocol section 3). */
#define LIMIT_BATCH_ITEMS 64U

/* Bytes of an incoming request id: our own have 19, a UUID 36. It is echoed, so it is kept. */
#define LIMIT_ID_LENGTH 128U

/* Correlation Data that is echoed (protocol section 4 says 8–32; stock tools send up to 36). */
#define LIMIT_CORRELATION_BYTES 64U

/* Calls of our own that wait for a reply, per connection: 1,000 concurrent calls are a goal, and
 * one pending call holds about 300 bytes. */
#define LIMIT_PENDING_CALLS 4096U

/* Requests in flight (received, not answered) per service and per caller of a service. The caller's
 * share is smaller so that one flooding caller cannot take the service from the others. */
#define LIMIT_SERVICE_INFLIGHT 2048U
#define LIMIT_CALLER_INFLIGHT  1024U

/* Bytes of requests in a service's hands. */
#define LIMIT_INFLIGHT_BYTES (UINT64_C(64) << 20)

/* Callers whose duplicate windows are kept at once; an idle one is dropped first. */
#define LIMIT_DEDUP_WINDOWS 4096U

/* Bits of a duplicate window: how far ids of one prefix may arrive out of order. */
#define LIMIT_DEDUP_BITS 1024U

/* Finished results kept for duplicates: count and bytes of the LRU. */
#define LIMIT_DEDUP_RESULTS      4096U
#define LIMIT_DEDUP_RESULT_BYTES (UINT64_C(4) << 20)

/* Bytes waiting in the client library for a slow broker before calls and replies are refused. */
#define LIMIT_OUTBOUND_BYTES (UINT64_C(32) << 20)

/* Messages of QoS 1 that the broker has not acknowledged: packet ids end at 65,535. */
#define LIMIT_OUTBOUND_MESSAGES 32768U

/* What a message on its way to the broker takes beside its topic and payload, about: libmosquitto
 * keeps it, its properties, and until it is written the packet with all of that once more. */
#define MESSAGE_OVERHEAD_BYTES 768U

/* Bytes on their way to the broker beyond which what is published for the first time on a
 * connection (all of a service that has just appeared, or of all services when the broker is back)
 * waits: what is on its way costs the process several times as much, and more than this is not
 * faster. */
#define LIMIT_STATE_OUTSTANDING_BYTES (UINT64_C(64) << 10)

/* Services whose presence is kept, beyond own ones: far more than a device has; what is beyond is
 * treated as if it had said nothing. */
#define LIMIT_PRESENCES 4096U

/* Bytes of one $state: its known members need 300; the rest is for people. */
#define LIMIT_STATE_BYTES 16384U

/* Values in the caches of property watches of one bus, and their bytes: 10,000 properties are a
 * goal. */
#define LIMIT_WATCHED_VALUES (UINT32_C(1) << 16)
#define LIMIT_WATCHED_BYTES  (UINT64_C(64) << 20)

/* Objects and signals (topics) whose last `seq` is remembered by the matches of one bus. */
#define LIMIT_SIGNAL_SOURCES 16384U

/* Signals of objects that are gone whose last number a service keeps: as many as a receiver
 * remembers. */
#define LIMIT_KEPT_COUNTERS 16384U

/* Signals that wait for the broker, while the connection is down or slow: messages and bytes. The
 * oldest are dropped beyond. The bytes hold some 10,000 signals of a usual size. */
#define LIMIT_OUTBOX_MESSAGES 32768U
#define LIMIT_OUTBOX_BYTES    (UINT64_C(4) << 20)

/* Bytes on their way to the broker beyond which signals wait in the outbox, so that a broker that
 * does not read makes the process grow by less than 8 MiB. */
#define LIMIT_SIGNAL_OUTSTANDING_BYTES (UINT64_C(1) << 20)

/* Longest time a call may take (protocol section 5), and the default of D-Bus. */
#define LIMIT_TIMEOUT_USEC   (UINT64_C(24) * 3600 * 1000000)
#define DEFAULT_TIMEOUT_USEC (UINT64_C(25) * 1000000)

/* Shortest time from one progress report of a request to the next (protocol section 6): people read
 * no faster, and what comes between is overtaken by then. */
#define LIMIT_PROGRESS_USEC UINT64_C(100000)

/* Times a call may cross gateways before it is taken for a loop (protocol, user property hops). */
#define LIMIT_HOPS 4U

/* Bytes of the text of a D-Bus error that are passed on: it is for people, and an error that did
 * not fit into a payload would be silence. */
#define LIMIT_ERROR_TEXT_BYTES 4096U

/* Log lines that peers can cause, in each span of time: enough to see what happens. */
#define LIMIT_LOG_LINES     20U
#define LIMIT_LOG_SPAN_USEC (UINT64_C(60) * 1000000)

/* Bytes of a mapping or configuration file: the largest shipped mapping is below 64 KiB. */
#define LIMIT_FILE_BYTES (UINT32_C(4) << 20)

/* Users, or groups, that one rule of a mapping lets in: more is what groups are for. */
#define LIMIT_ALLOW_NAMES 64U

/* D-Bus clients whose user and groups a facade remembers; the one that called longest ago is
 * forgotten. Asking again costs one question to the bus. */
#define LIMIT_FACADE_SENDERS 256U

/* Groups that are remembered of each; the kernel allows 65,536, people have a dozen. */
#define LIMIT_FACADE_GROUPS 256U

/* Names of one family that are looked at on D-Bus: each has a connection, as below. */
#define LIMIT_FAMILY_NAMES 64U

/* Between two looks at who waits for a D-Bus name that the gateway has: nobody is told of that. */
#define LIMIT_RIVAL_USEC (UINT64_C(5) * 1000000)

/* How long a D-Bus name can be released on request, if no daemon takes it: long enough for the
 * slowest daemon to start, and a name is not forgotten for good. */
#define LIMIT_RELEASE_SECONDS 3600U

/* Services of one family that are offered on D-Bus: each has a connection, of which a bus allows
 * one user 256 by default. */
#define LIMIT_FACADES 64U

/* Messages that wait until the bus has said who sent them. */
#define LIMIT_FACADE_WAITING 1024U

/* Captures of one path template: the deepest tree of a known service has four variable elements. */
#define LIMIT_TEMPLATE_CAPTURES 16U

/* Path templates of one mapping: BlueZ needs about ten. Each path and name that is looked up may be
 * compared with all of them, and loading compares each with each. */
#define LIMIT_MAPPING_TEMPLATES 128U

/* D-Bus calls in flight per mapped service, unless its mapping says otherwise. dbus-daemon has a
 * limit of its own per connection, max_replies_per_connection: 128 on the system bus unless its
 * configuration says otherwise, 50,000 on session buses. */
#define LIMIT_DBUS_INFLIGHT 1024U

/* Objects of one mapped service, found at run time: 1,000 are a goal, systemd has some 500 units;
 * an object with ten properties holds about 3 KiB. Further ones are left out, with a warning. */
#define LIMIT_OBJECTS 16384U

/* Questions for values, and for introspection, that wait for an answer of one service at a time:
 * keep it busy, and leave room for calls within dbus-daemon's 128 per connection. */
#define LIMIT_FETCHES 16U
#define LIMIT_WALKERS 4U

/* How long one such question may take. An object that does not answer holds up one of them. */
#define LIMIT_FETCH_USEC (UINT64_C(5) * 1000000)

/* How long the first look at a service may hold up its `ready`. */
#define LIMIT_FIRST_LOOK_USEC (UINT64_C(3) * 1000000)

/* Paths that are introspected in one walk over the tree of a service, and how deep: a tree without
 * end is left at both. */
#define LIMIT_WALK_PATHS 65536U
#define LIMIT_WALK_DEPTH 32U

/* Bytes of notifications that wait for a bus that does not read: as much as requests in flight. */
#define LIMIT_DBUS_UNSENT_BYTES (UINT64_C(64) << 20)

/* Bytes of introspection XML taken from a service; systemd's manager has 120 KiB. */
#define LIMIT_INTROSPECTION_BYTES (UINT32_C(2) << 20)

/* Elements (interfaces, members, arguments, annotations) of one introspection document: systemd's
 * manager has 1,300; bounds what a service can make the gateway keep. */
#define LIMIT_INTROSPECTION_ELEMENTS 65536U

/* Annotations of one element that are kept, and bytes of one, name and value: real elements have
 * three at most, the longest known ones are names of C functions. They are kept to be shown again,
 * so what is beyond is lost to clients, and nothing else. */
#define LIMIT_INTROSPECTION_ANNOTATIONS 32U
#define LIMIT_ANNOTATION_BYTES          4096U

/* Nesting of elements of one introspection document; real ones have 4 levels. */
#define LIMIT_INTROSPECTION_DEPTH 32U

/* Errors, and warnings, whose text is kept for one load: more than anyone reads at once. */
#define LIMIT_DIAGNOSTICS 100U

/* What the tools take in of a service: the largest known tree, systemd's, has about 1,500 objects;
 * a tree without end is cut here. */
#define LIMIT_SURVEY_OBJECTS 10000U

/* Elements of a path that the tools go down to; the deepest known service has nine. */
#define LIMIT_SURVEY_DEPTH 16U

/* How long the tools wait for one answer, for all of them, and how many times for nothing: a
 * service that does not answer at all shall not keep a person waiting. */
#define LIMIT_SURVEY_CALL_USEC (UINT64_C(5) * 1000000)
#define LIMIT_SURVEY_USEC      (UINT64_C(60) * 1000000)
#define LIMIT_SURVEY_TIMEOUTS  3U

/* Members whose use is counted, and bytes of what is said of the process of a last caller: all that
 * systemd, NetworkManager and BlueZ have together is below 1,000. An entry holds about 600 bytes.
 * The calls of what is beyond are counted together. */
#define LIMIT_USAGE_ENTRIES        4096U
#define LIMIT_USAGE_PROCESS_LENGTH 63U

/* Shortest time from one write of these counts to the next: spares flash memory, and what a loss of
 * power can take is a minute's worth. */
#define LIMIT_USAGE_SAVE_USEC (UINT64_C(60) * 1000000)

/* Rules of a bridge's policy, each list, and the words of one of their lists: a message may be
 * compared with all of them. */
#define LIMIT_BRIDGE_RULES 256U
#define LIMIT_BRIDGE_WORDS 256U

/* Cloud callers that all rules of a policy name: the broker's ACL has two lines for each. */
#define LIMIT_BRIDGE_CALLERS 1024U

/* Bytes of a packet that the cloud is told to send at most: a request, or what it keeps of ours,
 * with its topics and properties. */
#define LIMIT_BRIDGE_PACKET_BYTES (LIMIT_PAYLOAD_BYTES + (UINT32_C(128) << 10))

/* Calls from the cloud that wait for their answer, all and of one caller. */
#define LIMIT_BRIDGE_CALLS        1024U
#define LIMIT_BRIDGE_CALLER_CALLS 128U

/* Messages to the cloud that it has not answered, from which on refused calls get no answer: else a
 * flood of them would hold up all the others, and grow the process by what the connection may. */
#define LIMIT_BRIDGE_REFUSALS 1024U

/* Retained topics that are mirrored to the cloud, and their bytes: 10,000 properties are a goal. */
#define LIMIT_BRIDGE_TOPICS      (UINT32_C(1) << 16)
#define LIMIT_BRIDGE_STATE_BYTES (UINT64_C(64) << 20)

/* Topics that the cloud keeps although nobody here has them, to be cleared in one go: what is
 * beyond is cleared at the next comparison. */
#define LIMIT_BRIDGE_STALE 16384U

/* Messages of state, and of events, on their way to the cloud at a time: as little as keeps a link
 * of some 100 ms busy, so that news do not wait behind more. */
#define LIMIT_BRIDGE_STATE_INFLIGHT 64U
#define LIMIT_BRIDGE_EVENT_INFLIGHT 256U

/* Messages read from a connection before anything else has its turn; for events also what one
 * commit of the store takes at most. */
#define LIMIT_BRIDGE_BATCH 512U

/* Packets read from a connection while there is something to be written to it: some times what a
 * broker may have under way, so that only one that does not take our acknowledgements, and sends
 * all the same, has to wait. Mosquitto does so when it is busy. */
#define LIMIT_BRIDGE_UNWRITTEN 4096U

/* Bytes of events that one commit of the store takes at most, beyond one event: what the disk has
 * to have room for besides the queue itself. */
#define LIMIT_BRIDGE_COMMIT_BYTES (UINT64_C(4) << 20)

/* Calls to the bridge's own service that are answered before anything else has its turn. */
#define LIMIT_BRIDGE_SERVICE_TURN 64U

/* Signals (topics) whose last `seq` is remembered. */
#define LIMIT_BRIDGE_SOURCES 16384U

/* Lines of the audit about refused calls, in each second: a cloud that floods shall not fill the
 * disk. Bytes of an audit file before it becomes the old one. */
#define LIMIT_BRIDGE_AUDIT_LINES 100U
#define LIMIT_BRIDGE_AUDIT_BYTES (UINT64_C(8) << 20)
