#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mock-battery.py FIFO PROGRAM: PROGRAM with a battery, BAT0, that does what is written to the FIFO.

Run by umockdev-wrapper; becomes PROGRAM, and leaves a child that reads the lines: "charge N" (per
cent), "remove", "add". The child ends with PROGRAM, or when the FIFO is closed.
"""
import ctypes
import os
import signal
import sys

PATH = b"/sys/devices/BAT0"
FULL = 60000000  # µWh
DESCRIPTION = """P: /devices/BAT0
E: SUBSYSTEM=power_supply
E: POWER_SUPPLY_ONLINE=1
A: type=Battery\\n
A: present=1\\n
A: status=Discharging\\n
A: energy_full=%d\\n
A: energy_full_design=%d\\n
A: energy_now=%d\\n
A: voltage_now=12000000\\n
A: power_now=9500000\\n
A: capacity=%d\\n

"""


class Battery:
    def __init__(self):
        self.lib = ctypes.CDLL("libumockdev.so.0")
        self.lib.umockdev_testbed_new.restype = ctypes.c_void_p
        self.bed = ctypes.c_void_p(self.lib.umockdev_testbed_new())

    def add(self, percent):
        text = DESCRIPTION % (FULL, FULL, FULL // 100 * percent, percent)
        error = ctypes.c_void_p()
        if not self.lib.umockdev_testbed_add_from_string(self.bed, text.encode(), ctypes.byref(error)):
            sys.exit("umockdev does not take the battery")

    def tell(self, action):
        self.lib.umockdev_testbed_uevent(self.bed, PATH, action)

    def set(self, name, value):
        self.lib.umockdev_testbed_set_attribute(self.bed, PATH, name, b"%d" % value)

    def obey(self, word, argument):
        if word == "charge":
            self.set(b"energy_now", FULL // 100 * int(argument))
            self.set(b"capacity", int(argument))
            self.tell(b"change")
        elif word == "remove":
            self.tell(b"remove")
            self.lib.umockdev_testbed_remove_device(self.bed, PATH)
        elif word == "add":
            self.add(80)
            self.tell(b"add")


def main():
    fifo, program = sys.argv[1:]
    battery = Battery()
    battery.add(80)
    parent = os.getpid()
    # umockdev tells the programs of the bed by its own variable where that is.
    if os.fork() != 0:
        os.execv(program, [program])
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        return
    with open(fifo, encoding="ascii") as lines:
        for line in lines:
            word, _, argument = line.strip().partition(" ")
            battery.obey(word, argument)


if __name__ == "__main__":
    main()
