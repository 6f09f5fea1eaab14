/* SPDX-License-Identifier: MIT */

#include "gateway/error-map.h"

#include <string.h>

#include "common/util.h"

#define DBUS(name)   "org.freedesktop.DBus.Error." name
#define POLKIT(name) "org.freedesktop.PolicyKit1.Error." name
#define UDISKS(name) "org.freedesktop.UDisks2.Error." name
#define SYSTEM(name) "System.Error." name

#define IN(name, code, executed)                                                      \
        {                                                                             \
                name, MQTTRPC_ERROR_##code, MQTTRPC_EXECUTED_##executed, ERROR_MAP_IN \
        }
#define BOTH(name, code, executed)                                                      \
        {                                                                               \
                name, MQTTRPC_ERROR_##code, MQTTRPC_EXECUTED_##executed, ERROR_MAP_BOTH \
        }
#define OUT(name, code)                                                             \
        {                                                                           \
                name, MQTTRPC_ERROR_##code, MQTTRPC_EXECUTED_UNKNOWN, ERROR_MAP_OUT \
        }

/* NO stands only where the call cannot have reached the method: refused by the bus, by the
 * dispatcher of the service, or for want of authorization. What a method itself may answer after
 * half of its work is UNKNOWN. sd-bus names the errnos it has no D-Bus error for System.Error.E….
 */
static const ErrorMapEntry table[] = {
        /* what codes become, where several share a name */
        OUT(DBUS("InvalidArgs"), PARSE),
        OUT(DBUS("InvalidArgs"), INVALID_REQUEST),
        OUT(DBUS("Failed"), INTERNAL),
        OUT(DBUS("LimitsExceeded"), TOO_LARGE),
        OUT(DBUS("ServiceUnknown"), NO_SERVICE),
        OUT(DBUS("NoReply"), PEER_LOST),
        OUT(DBUS("Failed"), PROTOCOL),

        BOTH(DBUS("UnknownMethod"), NO_METHOD, NO),
        IN(DBUS("UnknownInterface"), NO_METHOD, NO),
        IN(SYSTEM("EBADR"), NO_METHOD, NO),
        IN(SYSTEM("ENOSYS"), NO_METHOD, UNKNOWN),

        BOTH(DBUS("InvalidArgs"), INVALID_PARAMS, UNKNOWN),
        IN(DBUS("InvalidSignature"), INVALID_PARAMS, UNKNOWN),
        IN(DBUS("MatchRuleInvalid"), INVALID_PARAMS, UNKNOWN),
        IN(DBUS("InvalidFileContent"), INVALID_PARAMS, UNKNOWN),
        IN(SYSTEM("EINVAL"), INVALID_PARAMS, UNKNOWN),
        IN(SYSTEM("EDOM"), INVALID_PARAMS, UNKNOWN),
        IN(SYSTEM("ERANGE"), INVALID_PARAMS, UNKNOWN),
        IN(SYSTEM("EBADMSG"), INVALID_PARAMS, UNKNOWN),
        IN(SYSTEM("EILSEQ"), INVALID_PARAMS, UNKNOWN),

        BOTH(DBUS("Failed"), FAILED, UNKNOWN),
        IN(DBUS("IOError"), FAILED, UNKNOWN),
        IN(SYSTEM("EIO"), FAILED, UNKNOWN),
        IN(POLKIT("Failed"), FAILED, UNKNOWN),

        BOTH(DBUS("AccessDenied"), ACCESS_DENIED, UNKNOWN),
        IN(DBUS("SELinuxSecurityContextUnknown"), ACCESS_DENIED, UNKNOWN),
        IN(DBUS("AdtAuditDataUnknown"), ACCESS_DENIED, UNKNOWN),
        IN(SYSTEM("EACCES"), ACCESS_DENIED, UNKNOWN),
        IN(SYSTEM("EPERM"), ACCESS_DENIED, UNKNOWN),
        IN(POLKIT("NotAuthorized"), ACCESS_DENIED, NO),
        /* what services say that have a name of their own for polkit's refusal */
        IN(UDISKS("NotAuthorized"), ACCESS_DENIED, NO),
        IN(UDISKS("NotAuthorizedDismissed"), ACCESS_DENIED, NO),
        IN("org.freedesktop.ModemManager1.Error.Core.Unauthorized", ACCESS_DENIED, NO),
        IN("org.freedesktop.NetworkManager.PermissionDenied", ACCESS_DENIED, NO),
        IN("org.freedesktop.NetworkManager.Settings.PermissionDenied", ACCESS_DENIED, NO),
        IN("org.freedesktop.Accounts.Error.PermissionDenied", ACCESS_DENIED, NO),

        BOTH(DBUS("UnknownObject"), NOT_FOUND, NO),
        IN(DBUS("UnknownProperty"), NOT_FOUND, NO),
        IN(DBUS("FileNotFound"), NOT_FOUND, UNKNOWN),
        IN(DBUS("MatchRuleNotFound"), NOT_FOUND, UNKNOWN),
        IN(DBUS("UnixProcessIdUnknown"), NOT_FOUND, UNKNOWN),
        IN(SYSTEM("ENOENT"), NOT_FOUND, UNKNOWN),
        IN(SYSTEM("ESRCH"), NOT_FOUND, UNKNOWN),
        IN(SYSTEM("ENODEV"), NOT_FOUND, UNKNOWN),
        IN(SYSTEM("ENXIO"), NOT_FOUND, UNKNOWN),

        BOTH(DBUS("FileExists"), EXISTS, UNKNOWN),
        IN(DBUS("ObjectPathInUse"), EXISTS, UNKNOWN),
        IN(DBUS("AddressInUse"), EXISTS, UNKNOWN),
        IN(SYSTEM("EEXIST"), EXISTS, UNKNOWN),
        IN(SYSTEM("EADDRINUSE"), EXISTS, UNKNOWN),

        BOTH(DBUS("LimitsExceeded"), BUSY, UNKNOWN),
        IN(SYSTEM("EBUSY"), BUSY, UNKNOWN),
        IN(SYSTEM("EAGAIN"), BUSY, UNKNOWN),
        IN(SYSTEM("ENOBUFS"), BUSY, UNKNOWN),

        BOTH(DBUS("NoReply"), TIMEOUT, MAYBE),
        IN(DBUS("Timeout"), TIMEOUT, MAYBE),
        IN(DBUS("TimedOut"), TIMEOUT, MAYBE),
        IN(SYSTEM("ETIMEDOUT"), TIMEOUT, MAYBE),
        IN(SYSTEM("ETIME"), TIMEOUT, MAYBE),

        BOTH(SYSTEM("ECANCELED"), CANCELLED, UNKNOWN),
        IN(POLKIT("Cancelled"), CANCELLED, NO),

        BOTH(DBUS("PropertyReadOnly"), READ_ONLY, NO),
        IN(SYSTEM("EROFS"), READ_ONLY, UNKNOWN),

        BOTH(DBUS("NotSupported"), NOT_SUPPORTED, UNKNOWN),
        IN(SYSTEM("EOPNOTSUPP"), NOT_SUPPORTED, UNKNOWN),
        IN(SYSTEM("ENOTTY"), NOT_SUPPORTED, UNKNOWN),
        IN(POLKIT("NotSupported"), NOT_SUPPORTED, NO),

        IN(SYSTEM("EMSGSIZE"), TOO_LARGE, UNKNOWN),
        IN(SYSTEM("E2BIG"), TOO_LARGE, UNKNOWN),
        IN(SYSTEM("EFBIG"), TOO_LARGE, UNKNOWN),

        BOTH(SYSTEM("ESTALE"), STALE_EPOCH, UNKNOWN),
        BOTH(SYSTEM("EALREADY"), DUPLICATE, UNKNOWN),

        BOTH(DBUS("ServiceUnknown"), UNAVAILABLE, NO),
        IN(DBUS("NameHasNoOwner"), UNAVAILABLE, NO),
        IN(DBUS("NoServer"), UNAVAILABLE, NO),
        IN(DBUS("NoNetwork"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.ExecFailed"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.ForkFailed"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.ChildExited"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.ChildSignaled"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.Failed"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.FailedToSetup"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.ConfigInvalid"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.ServiceNotValid"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.ServiceNotFound"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.PermissionsInvalid"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.FileInvalid"), UNAVAILABLE, NO),
        IN(DBUS("Spawn.NoMemory"), UNAVAILABLE, NO),

        BOTH(DBUS("Disconnected"), DISCONNECTED, MAYBE),
        IN(SYSTEM("ECONNRESET"), DISCONNECTED, MAYBE),
        IN(SYSTEM("ENOTCONN"), DISCONNECTED, MAYBE),
        IN(SYSTEM("EPIPE"), DISCONNECTED, MAYBE),

        BOTH(DBUS("InteractiveAuthorizationRequired"), AUTH_REQUIRED, NO),
        IN(DBUS("AuthFailed"), AUTH_REQUIRED, NO),
        IN(UDISKS("NotAuthorizedCanObtain"), AUTH_REQUIRED, NO),

        BOTH(SYSTEM("EPROTONOSUPPORT"), VERSION, UNKNOWN),
};

const ErrorMapEntry *error_map_table(size_t *ret_count)
{
        *ret_count = ARRAY_SIZE(table);
        return table;
}

static const ErrorMapEntry *find_name(const char *name)
{
        for (size_t i = 0; name && i < ARRAY_SIZE(table); i++)
                if (table[i].use != ERROR_MAP_OUT && strcmp(table[i].name, name) == 0)
                        return &table[i];
        return NULL;
}

int error_map_from_dbus(const char *name, bool deadline_passed, MqttRpcExecuted *ret_executed)
{
        const ErrorMapEntry *entry = find_name(name);

        if (ret_executed)
                *ret_executed = entry ? entry->executed : MQTTRPC_EXECUTED_UNKNOWN;
        if (!entry)
                return MQTTRPC_ERROR_FAILED;
        if (!deadline_passed && strcmp(entry->name, DBUS("NoReply")) == 0)
                return MQTTRPC_ERROR_UNAVAILABLE;
        return entry->code;
}

const char *error_map_to_dbus(int code)
{
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (table[i].use != ERROR_MAP_IN && table[i].code == code)
                        return table[i].name;
        return DBUS("Failed");
}
