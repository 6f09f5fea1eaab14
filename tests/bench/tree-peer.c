/* SPDX-License-Identifier: MIT */

/* A D-Bus service with many objects of ten properties each, listed by an ObjectManager:
 *
 *         bench-tree ADDRESS
 *
 * What it does is told by calls to org.mqttrpc.BenchControl: Show(u) gives up the name
 * org.mqttrpc.BenchTree, and takes it again with so many objects, if any; Change(u) changes one
 * property of as many objects, one after the other, where the last call ended. Its own work grows
 * no faster than the number of objects, so that what does is the gateway's. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME       "org.mqttrpc.BenchTree"
#define ROOT       "/org/mqttrpc/BenchTree"
#define CONTROL    "org.mqttrpc.BenchControl"
#define PROPERTIES "org.freedesktop.DBus.Properties"

typedef struct Tree {
        sd_bus *bus;
        uint32_t n_objects;
        uint32_t next;    /* object to be changed */
        uint32_t changes; /* so far; also the value */
        bool owned;
} Tree;

static int check(const char *what, int r)
{
        if (r < 0) {
                fprintf(stderr, "bench-tree: %s: %s\n", what, strerror(-r));
                abort();
        }
        return r;
}

/* ---- values ---- */

/* As devices have them: a level that changes, names, addresses, states. */
static int append_values(sd_bus_message *m, uint32_t object, uint32_t level)
{
        char address[32], name[32];

        snprintf(address, sizeof(address), "00:1A:7D:DA:%02X:%02X", object >> 8 & 0xff,
                 object & 0xff);
        snprintf(name, sizeof(name), "Device number %u", object);
        return sd_bus_message_append(m, "a{sv}", 10, "Address", "s", address, "Name", "s", name,
                                     "Icon", "s", "input-keyboard", "Level", "u", level, "Class",
                                     "u", 9536U, "Battery", "d", 87.5, "Signal", "n", -71, "Paired",
                                     "b", 1, "Trusted", "b", 0, "Connected", "b", object % 2);
}

static int append_object(sd_bus_message *m, uint32_t object)
{
        char path[64];
        int r;

        snprintf(path, sizeof(path), ROOT "/device_%05u", object);
        r = sd_bus_message_open_container(m, 'e', "oa{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_append(m, "o", path);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "org.mqttrpc.BenchDevice");
        if (r >= 0)
                r = append_values(m, object, 0);
        for (int level = 0; r >= 0 && level < 3; level++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_managed(const Tree *tree, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{oa{sa{sv}}}");
        for (uint32_t object = 0; r >= 0 && object < tree->n_objects; object++)
                r = append_object(m, object);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- the service ---- */

static void change(Tree *tree)
{
        sd_bus_message *m = NULL;
        char path[64];

        snprintf(path, sizeof(path), ROOT "/device_%05u", tree->next);
        tree->next = (tree->next + 1) % tree->n_objects;
        check("signal",
              sd_bus_message_new_signal(tree->bus, &m, path, PROPERTIES, "PropertiesChanged"));
        check("signal", sd_bus_message_append(m, "sa{sv}as", "org.mqttrpc.BenchDevice", 1, "Level",
                                              "u", ++tree->changes, 0));
        check("send", sd_bus_send(tree->bus, m, NULL));
        sd_bus_message_unref(m);
}

static void show(Tree *tree, uint32_t n_objects)
{
        if (tree->owned)
                check("release", sd_bus_release_name(tree->bus, NAME));
        tree->owned = n_objects > 0;
        tree->n_objects = n_objects;
        tree->next = 0;
        if (tree->owned)
                check("name", sd_bus_request_name(tree->bus, NAME, 0));
}

static int answer(Tree *tree, sd_bus_message *m, sd_bus_message *reply)
{
        uint32_t n;
        int r;

        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.ObjectManager",
                                          "GetManagedObjects"))
                return append_managed(tree, reply);
        if (sd_bus_message_is_method_call(m, PROPERTIES, "GetAll"))
                return append_values(
                        reply,
                        (uint32_t)strtoul(strrchr(sd_bus_message_get_path(m), '_') + 1, NULL, 10),
                        0);
        r = sd_bus_message_read(m, "u", &n);
        if (r < 0)
                return r;
        if (sd_bus_message_is_method_call(m, CONTROL, "Show"))
                show(tree, n);
        while (sd_bus_message_is_method_call(m, CONTROL, "Change") && n-- > 0)
                change(tree);
        return 0;
}

/* The rest sd-bus answers itself, with an error. */
static bool is_known(sd_bus_message *m)
{
        return sd_bus_message_is_method_call(m, "org.freedesktop.DBus.ObjectManager",
                                             "GetManagedObjects") ||
               sd_bus_message_is_method_call(m, PROPERTIES, "GetAll") ||
               sd_bus_message_is_method_call(m, CONTROL, NULL);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        sd_bus_message *reply = NULL;

        if (!is_known(m))
                return 0;
        check("reply", sd_bus_message_new_method_return(m, &reply));
        check("answer", answer(userdata, m, reply));
        check("send", sd_bus_send(NULL, reply, NULL));
        sd_bus_message_unref(reply);
        return 1;
}

int main(int argc, char **argv)
{
        Tree tree = {};

        if (argc != 2) {
                fprintf(stderr, "usage: see the top of tree-peer.c\n");
                return 2;
        }
        check("new bus", sd_bus_new(&tree.bus));
        check("address", sd_bus_set_address(tree.bus, argv[1]));
        check("client", sd_bus_set_bus_client(tree.bus, true));
        check("connect", sd_bus_start(tree.bus));
        check("filter", sd_bus_add_filter(tree.bus, NULL, on_message, &tree));
        check("name", sd_bus_request_name(tree.bus, CONTROL, 0));
        puts("ready");
        fflush(stdout);
        for (;;)
                if (check("process", sd_bus_process(tree.bus, NULL)) == 0)
                        check("wait", sd_bus_wait(tree.bus, UINT64_MAX));
}
