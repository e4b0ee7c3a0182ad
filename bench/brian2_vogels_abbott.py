#!/usr/bin/env python3
"""The network of Vogels & Abbott in Brian2, with the parameters of Ydot's circuit vogels_abbott: for `ydot bench --peers`, and to compare rates.

    python3 bench/brian2_vogels_abbott.py coba|cuba DURATION_MS [--seed N] [--warmup MS] [--start ydot|brian2]

Prints: version, seconds of one thread for a second of biological time (compilation not counted), rate and mean CV of the intervals of the
excitatory and of the inhibitory units. Exit code 3: no Brian2. Compiles once per call (Brian2's C++ standalone mode), which takes a minute.
"""
import argparse
import resource
import sys
import tempfile

try:
    import brian2 as b2
    from brian2 import Hz, ms, mV
except ImportError:
    sys.exit(3)
import numpy as np

MODEL = {
    "coba": """dv/dt = (ge * (0*mV - v) + gi * (-80*mV - v) - (v + 60*mV)) / (20*ms) : volt (unless refractory)
               dge/dt = -ge / (5*ms) : 1
               dgi/dt = -gi / (10*ms) : 1""",
    "cuba": """dv/dt = (ge + gi - (v + 49*mV)) / (20*ms) : volt (unless refractory)
               dge/dt = -ge / (5*ms) : volt
               dgi/dt = -gi / (10*ms) : volt""",
}
WEIGHTS = {"coba": ("ge += 0.6", "gi += 6.7"), "cuba": ("ge += 1.62*mV", "gi -= 9*mV")}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("synapses", choices=MODEL)
    parser.add_argument("duration_ms", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warmup", type=float, default=500, metavar="MS")
    parser.add_argument("--start", choices=["ydot", "brian2"], default="ydot", help="initial state: that of Ydot, or of Brian2's example")
    return parser.parse_args()


def start(units, synapses, how):
    """Ydot: potentials around -55 mV, and 20 units of noise for 50 ms; Brian2's examples: random conductances, or potentials up to threshold."""
    if how == "ydot":
        units.v = "-55*mV + 3*mV*randn()"
    elif synapses == "coba":
        units.v, units.ge, units.gi = "-60*mV + (randn()*5 - 5)*mV", "(randn()*1.5 + 4)", "(randn()*12 + 20)"
    else:
        units.v = "-60*mV + rand()*10*mV"


def cv(trains):
    intervals = [np.diff(t) for t in trains if len(t) > 3]
    return np.mean([d.std() / d.mean() for d in intervals]) if intervals else np.nan


def main():
    a = arguments()
    with tempfile.TemporaryDirectory() as directory:
        b2.set_device("cpp_standalone", directory=directory, build_on_run=False)
        b2.prefs.devices.cpp_standalone.openmp_threads = 0
        b2.seed(a.seed)
        b2.defaultclock.dt = 0.1 * ms
        units = b2.NeuronGroup(4000, MODEL[a.synapses], threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms,
                               method="exponential_euler" if a.synapses == "coba" else "exact")
        start(units, a.synapses, a.start)
        exc, inh = units[:3200], units[3200:]
        network = [units]
        senders = [(exc, WEIGHTS[a.synapses][0]), (inh, WEIGHTS[a.synapses][1])]
        if a.start == "ydot":
            kick = b2.PoissonGroup(20, rates="200*Hz * int(t < 50*ms)")
            senders.append((kick, WEIGHTS[a.synapses][0]))
            network.append(kick)
        for sender, effect in senders:
            synapses = b2.Synapses(sender, units, on_pre=effect, delay=0.1 * ms)
            synapses.connect(p=0.02)
            network.append(synapses)
        monitor = b2.SpikeMonitor(units)
        net = b2.Network(network + [monitor])
        net.run((a.warmup + a.duration_ms) * ms)
        b2.device.build(directory=directory, compile=True, run=False, with_output=False)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        b2.device.run(directory, with_output=False, run_args=[])
        cpu_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before  # the making of synapses included, other programs' share not
        trains = [t / ms for t in monitor.spike_trains().values()]
        trains = [t[t > a.warmup] for t in trains]
        rate = [1e3 * np.mean([len(t) for t in part]) / a.duration_ms for part in (trains[:3200], trains[3200:])]
        cost = min(cpu_s, b2.device._last_run_time) / (1e-3 * (a.warmup + a.duration_ms))
        print(b2.__version__, f"{cost:.4g}", f"{rate[0]:.4g} {rate[1]:.4g} {cv(trains[:3200]):.4g} {cv(trains[3200:]):.4g}")


if __name__ == "__main__":
    main()
