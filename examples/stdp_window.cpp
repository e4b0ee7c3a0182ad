// The pairing protocol of Bi & Poo (1998): 60 pairs of one pre and one post spike at 1 Hz, for several intervals between the two.
// The relative change of the weight gives back the window of the rule.
#include <cstdio>
#include <string>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "sim/replica.hpp"

int main() {
    for (int interval_ms = -80; interval_ms <= 80; interval_ms += 10) {
        std::string pre, post, pre_units, post_units;
        for (int k = 0; k < 60; ++k) {
            pre += std::to_string(1000 * k + 500) + ",";
            post += std::to_string(1000 * k + 499 + interval_ms) + ",";  // both synapses delay by 1 ms, the unit fires 1 ms later
            pre_units += "0,", post_units += "0,";
        }
        const std::string text = "[populations.pre]\nmodel = 'spike_trains'\ntimes_ms = [" + pre + "]\nunits = [" + pre_units + "]\n" +
                                 "[populations.teacher]\nmodel = 'spike_trains'\ntimes_ms = [" + post + "]\nunits = [" + post_units +
                                 "]\n" + R"(
            [populations.post]       # fires when its teacher makes it, and only then
            model = 'lif'
            t_ref_ms = 50.0
            [projections.drive]
            from = 'teacher'
            to = 'post'
            weight = 1e5
            [projections.plastic]
            from = 'pre'
            to = 'post'
            weight = 1.0
            plasticity = {rule = 'stdp', a_plus = 0.0129, tau_plus_ms = 17.0, a_minus = 0.0045, tau_minus_ms = 34.0})";
        const auto circuit = ydot::app::build_circuit(ydot::app::parse_description(text, "stdp_window"));
        ydot::Replica replica(*circuit);
        replica.learn_online();
        replica.run(60'500);
        std::printf("%4d ms  %+6.1f %%\n", interval_ms, 100 * (circuit->projections()[1].blocks[0].weights()[0] - 1.0));
    }
}
