#pragma once
#include "networks/plane.hpp"
#include "networks/sampling.hpp"

namespace ydot::networks {

/// How the probability of a connection falls with distance d.
enum class Profile {
    exponential,  ///< exp(-d / length)
    gaussian,     ///< exp(-d^2 / (2 length^2))
    disc          ///< 1 up to d = length, 0 beyond
};

/// Units on a rectangle of cortex; each pair is connected independently, with a probability that falls with its distance d.
///   P((s, t) in E) = p_max * profile(d(s, t));  on a periodic sheet d is the shortest way round
/// Both populations lie on the same rectangle, each on a grid or at random places.
///
/// Pairs are visited by thinning: around the cell of the source, each cell of targets has a bound of the probability; candidates come by
/// geometric gaps through these bounds, nearest or not, and each is kept with probability / bound. The cost is that of a few candidates a
/// synapse and does not grow with the number of pairs.
struct DistanceDependent {
    static constexpr std::string_view name = "distance_dependent";
    static constexpr std::string_view summary = "each pair with a probability that falls with distance on a sheet";
    static constexpr std::string_view reference = "Hellwig 2000, Biol Cybern 82:111; Senk et al. 2022, PLoS Comput Biol 18:e1010086";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        Profile profile = Profile::exponential;
        double p_max = 0.5, length_mm = 0.2, width_mm = 1, height_mm = 1;
        bool periodic = false;
        Layout source_layout = Layout::grid, target_layout = Layout::grid;
        std::uint32_t source_columns = 0, target_columns = 0;
        bool autapses = true;
        static constexpr std::tuple fields{
            Field{"profile", &Params::profile, "exponential exp(-d/length), gaussian exp(-d^2/(2 length^2)), disc: 1 up to d = length"},
            Field{"p_max", &Params::p_max, "probability of a connection at distance 0", unit_interval},
            Field{"length_mm", &Params::length_mm, "decay length, standard deviation or radius", positive},
            Field{"width_mm", &Params::width_mm, "of the sheet", positive},
            Field{"height_mm", &Params::height_mm, "of the sheet", positive},
            Field{"periodic", &Params::periodic, "whether opposite sides of the sheet are one"},
            Field{"source_layout", &Params::source_layout, "sources on a grid, or at random places that are those of the population"},
            Field{"target_layout", &Params::target_layout, "the same of the targets"},
            Field{"source_columns", &Params::source_columns, "of the grid, unit = row * columns + column; 0: the grid is square",
                  Range{0, 4e9}},
            Field{"target_columns", &Params::target_columns, "the same of the targets", Range{0, 4e9}},
            Field{"autapses", &Params::autapses, "whether a unit may be connected to itself (within one population)"}};
    };

    static double probability(const Params& params, double d_mm) noexcept {
        const double d = d_mm / params.length_mm;
        switch (params.profile) {
            case Profile::exponential: return params.p_max * std::exp(-d);
            case Profile::gaussian: return params.p_max * std::exp(-d * d / 2);
            case Profile::disc: break;
        }
        return d <= 1 ? params.p_max : 0;
    }

    static TargetsOf stream(const Params& params, const ConnectRequest& request) {
        return [sheet = std::make_shared<const PairedSheet>(params, request)](std::uint32_t s, auto& out) { sheet->targets(s, out); };
    }

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        return edges_of(stream(params, request), request.sources);
    }

private:
    class PairedSheet {
    public:
        PairedSheet(const Params& params, const ConnectRequest& request)
            : params_(params),
              request_(request),
              plane_{params.width_mm, params.height_mm, params.periodic},
              source_(places_of("source", request.from, request.sources, params.source_layout, params.source_columns, plane_, request)),
              target_(places_of("target", request.to, request.targets, params.target_layout, params.target_columns, plane_, request)),
              cells_(plane_, target_, params.length_mm / 2) {
            require_one_layout();
            add_offsets();
        }

        void targets(std::uint32_t s, std::vector<std::uint32_t>& out) const {
            Draws draws = draws_of(request_, s);
            const auto column = static_cast<std::int64_t>(cells_.column(source_[s])),
                       row = static_cast<std::int64_t>(cells_.row(source_[s]));
            bounds_.visit(draws, [&](std::size_t k, std::size_t rank) {
                const std::int64_t x = place(column + offset_[k].columns, cells_.columns()),
                                   y = place(row + offset_[k].rows, cells_.rows());
                if (x < 0 || y < 0) return;
                const auto units = cells_.units(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y));
                if (rank >= units.size()) return;
                const std::uint32_t t = units[rank];
                if (request_.same_population && !params_.autapses && s == t) return;
                if (draws.uniform() * offset_[k].bound < probability(params_, distance_mm(plane_, source_[s], target_[t])))
                    out.push_back(t);
            });
        }

    private:
        struct Offset {
            std::int64_t columns, rows;
            double bound;  ///< of the probability of a connection into the cell so many columns and rows away
        };

        void require_one_layout() const {
            if (request_.same_population &&
                (params_.source_layout != params_.target_layout || params_.source_columns != params_.target_columns))
                refuse(request_, "source and target are one population: their layout and columns must be the same");
        }
        void add_offsets() {
            const auto columns = static_cast<std::int64_t>(cells_.columns()), rows = static_cast<std::int64_t>(cells_.rows());
            for (std::int64_t y = params_.periodic ? 0 : 1 - rows; y < rows; ++y)
                for (std::int64_t x = params_.periodic ? 0 : 1 - columns; x < columns; ++x) {
                    const double nearest =
                        cells_.least_distance_mm(static_cast<std::uint32_t>(std::abs(x)), static_cast<std::uint32_t>(std::abs(y)));
                    if (const double bound = probability(params_, nearest); bound > 0) offset_.push_back({x, y, bound});
                }
            std::stable_sort(offset_.begin(), offset_.end(), [](const auto& a, const auto& b) { return a.bound < b.bound; });
            for (const auto& o : offset_) bounds_.add(o.bound, cells_.most_units());
        }
        /// The row or column of that number, or -1 beyond the border.
        std::int64_t place(std::int64_t number, std::int64_t cells) const noexcept {
            if (params_.periodic) return number % cells;
            return number < cells ? number : -1;
        }

        Params params_;
        ConnectRequest request_;
        Plane plane_;
        std::vector<Place> source_, target_;
        Cells cells_;
        std::vector<Offset> offset_;
        SlotGroups bounds_;
    };
};

}  // namespace ydot::networks

template <>
struct ydot::EnumNames<ydot::networks::Profile> {
    static constexpr std::array<std::string_view, 3> names{"exponential", "gaussian", "disc"};
};
