"""The course map: acts, tiers, modules, milestones and checkpoints, each stated once.

The sidebar, the pages, the progress display, the unlocking of milestones and the order tests are
all made from this file. Adding a module is one entry here and one file in `content/modules/`.
It does not care whether a module is written yet: whoever asks looks for its file or exercises.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Module:
    """One of the twenty modules.

    `file` is the framework file it builds, without `.py`; `also` are more of them, where one would
    be too long. Its checkpoint has its own number, except for the two that the curriculum counts
    the other way round.
    """

    id: str
    title: str
    file: str
    builds: str
    insight: str
    checkpoint: str
    needs: tuple[str, ...] = ()
    hours: tuple[int, int] = (2, 3)
    also: tuple[str, ...] = ()
    checkpoint_number: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        return (self.file, *self.also)

    @property
    def number(self) -> int:
        return int(self.id[:2])

    @property
    def act(self) -> Act:
        return next(act for act in COURSE.acts if self in act.modules)

    @property
    def tier(self) -> Tier:
        return next(tier for tier in COURSE.tiers if tier.first <= self.number <= tier.last)


@dataclass(frozen=True)
class Act:
    """A chapter of the story: why these modules, now."""

    number: int
    roman: str
    title: str
    theme: str
    arc: str
    hours: tuple[int, int]
    weeks: str
    modules: tuple[Module, ...]


@dataclass(frozen=True)
class Tier:
    """A stretch of modules for planning: first to last module number, both included."""

    title: str
    first: int
    last: int


@dataclass(frozen=True)
class Milestone:
    """A piece of history run on the student's own code; `after` is the act that unlocks it."""

    id: str
    year: str
    title: str
    after: int
    proof: str

    @property
    def name(self) -> str:
        """The short name the command line takes: `perceptron` for `1957_perceptron`."""
        return self.id.split("_", 1)[-1]


@dataclass(frozen=True)
class Checkpoint:
    """A capability; `module` is the id of the module that proves it, None for number 00."""

    number: int
    title: str
    module: str | None


@dataclass(frozen=True)
class Course:
    acts: tuple[Act, ...]
    tiers: tuple[Tier, ...]
    milestones: tuple[Milestone, ...]
    weeks: str  # for all of it, with time to catch up: more than its acts' weeks together

    @property
    def modules(self) -> tuple[Module, ...]:
        return tuple(module for act in self.acts for module in act.modules)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        made = [Checkpoint(0, "Python starts in the tab", None)]
        for m in self.modules:
            made.append(Checkpoint(m.checkpoint_number or m.number, m.checkpoint, m.id))
        return tuple(sorted(made, key=lambda c: c.number))

    def direct_needs(self, module: Module) -> tuple[Module, ...]:
        """The modules it stands on, without those that one of the others stands on already."""
        needs = [self.module(id) for id in module.needs]
        below = {m.id for need in needs for m in self.below(need)}
        return tuple(need for need in needs if need.id not in below)

    def below(self, module: Module) -> tuple[Module, ...]:
        """Every module that must be built before this one, in order."""
        found = {id: self.module(id) for id in module.needs}
        for need in list(found.values()):
            found |= {m.id: m for m in self.below(need)}
        return tuple(sorted(found.values(), key=lambda m: m.number))

    def module(self, id: str) -> Module:
        """The module with this id; a KeyError lists the ids there are."""
        for module in self.modules:
            if module.id == id:
                return module
        raise KeyError(f"no module {id!r}; there are {', '.join(m.id for m in self.modules)}")


COURSE = Course(
    acts=(
        Act(
            1,
            "I",
            "Foundation",
            "atomic components",
            "components in isolation",
            (8, 12),
            "2",
            (
                Module(
                    "01_tensor",
                    "Tensor",
                    "tensor",
                    builds="the data structure: arithmetic, matmul, reshape, slicing, broadcasting",
                    insight="memory layout, contiguity, views",
                    checkpoint="tensor manipulation",
                    also=("tensor_checks", "tensor_sum", "creation"),
                ),
                Module(
                    "02_activations",
                    "Activations",
                    "activations",
                    builds="ReLU, Sigmoid, Tanh, Softmax",
                    insight="what each activation costs, and where it overflows",
                    checkpoint="nonlinearity",
                    needs=("01_tensor",),
                ),
                Module(
                    "03_layers",
                    "Layers",
                    "layers",
                    builds="Linear, LayerNorm, Dropout; composable forward()",
                    insight="composability, modularity",
                    checkpoint="network layers",
                    needs=("01_tensor", "02_activations"),
                ),
                Module(
                    "04_losses",
                    "Losses",
                    "losses",
                    builds="MSELoss, CrossEntropyLoss, ContrastiveLoss",
                    insight="how a loss shapes the landscape that training walks on",
                    checkpoint="loss measurement",
                    needs=("01_tensor", "02_activations", "03_layers"),
                ),
            ),
        ),
        Act(
            2,
            "II",
            "Learning",
            "the gradient revolution",
            "components communicating: gradients flow backward",
            (6, 9),
            "1.5",
            (
                Module(
                    "05_autograd",
                    "Autograd",
                    "autograd",
                    builds="Function, the graph, backward() on the same Tensor",
                    insight="the memory a graph holds, and how checkpointing saves it",
                    checkpoint="gradient computation",
                    needs=("01_tensor", "02_activations", "03_layers", "04_losses"),
                ),
                Module(
                    "06_optimizers",
                    "Optimizers",
                    "optimizers",
                    builds="SGD, SGD with momentum, RMSprop, Adam",
                    insight="memory per parameter (Adam 3×), convergence",
                    checkpoint="parameter optimization",
                    needs=("03_layers", "05_autograd"),
                ),
                Module(
                    "07_training",
                    "Training",
                    "training",
                    builds="Trainer, learning-rate schedules, checkpointing, validation",
                    insight="how all the parts interact",
                    checkpoint="model training",
                    needs=("04_losses", "05_autograd", "06_optimizers"),
                    also=("lr_scheduler",),
                ),
            ),
        ),
        Act(
            3,
            "III",
            "Data & Scale",
            "real-world complexity",
            "components scaling",
            (6, 8),
            "1",
            (
                Module(
                    "08_dataloader",
                    "DataLoader",
                    "dataloader",
                    builds="batching, shuffling, streaming data larger than RAM",
                    insight="the memory hierarchy, and I/O as the usual bottleneck",
                    checkpoint="data loading",
                    checkpoint_number=9,
                    needs=("07_training",),
                    hours=(3, 4),
                ),
                Module(
                    "09_spatial",
                    "Spatial",
                    "spatial",
                    builds="Conv2d, MaxPool2d, Flatten",
                    insight="weight sharing, locality: 100× fewer parameters",
                    checkpoint="image processing",
                    checkpoint_number=8,
                    needs=("03_layers", "05_autograd"),
                    hours=(3, 4),
                ),
            ),
        ),
        Act(
            4,
            "IV",
            "Language",
            "sequential data",
            "components specializing: attention routes",
            (12, 15),
            "2–3",
            (
                Module(
                    "10_tokenization",
                    "Tokenization",
                    "tokenization",
                    builds="character-level and BPE tokenizers",
                    insight="vocabulary size against sequence length and model size",
                    checkpoint="text processing",
                    needs=("01_tensor",),
                    hours=(3, 3),
                ),
                Module(
                    "11_embeddings",
                    "Embeddings",
                    "embeddings",
                    builds="token and positional embeddings",
                    insight="tables that are often a model's largest single part",
                    checkpoint="embeddings",
                    needs=("03_layers", "05_autograd", "10_tokenization"),
                    hours=(3, 4),
                ),
                Module(
                    "12_attention",
                    "Attention",
                    "attention",
                    builds="scaled dot-product and multi-head attention",
                    insight="costs that grow as O(n²) in sequence length",
                    checkpoint="attention",
                    needs=("02_activations", "03_layers", "11_embeddings"),
                    hours=(3, 4),
                ),
                Module(
                    "13_transformers",
                    "Transformers",
                    "transformers",
                    builds="TransformerBlock: attention, normalization, residuals, feed-forward",
                    insight="parallel work that is hungry for memory",
                    checkpoint="transformers",
                    needs=("03_layers", "12_attention"),
                    hours=(3, 4),
                ),
            ),
        ),
        Act(
            5,
            "V",
            "Production",
            "optimization & deployment",
            "components optimizing: trade-offs everywhere",
            (18, 24),
            "3–4",
            (
                Module(
                    "14_profiling",
                    "Profiling",
                    "profiling",
                    builds="Profiler: memory, time, parameters, FLOPs",
                    insight="bottlenecks, which are rarely where you think",
                    checkpoint="profiling",
                    needs=("09_spatial", "13_transformers"),
                    hours=(3, 4),
                ),
                Module(
                    "15_quantization",
                    "Quantization",
                    "quantization",
                    builds="INT8 with calibration",
                    insight="4× memory, 2–4× speed on suitable hardware, against precision",
                    checkpoint="quantization",
                    needs=("03_layers", "14_profiling"),
                    hours=(3, 4),
                ),
                Module(
                    "16_compression",
                    "Compression",
                    "compression",
                    builds="magnitude and structured pruning, low-rank, distillation",
                    insight="why only structured pruning speeds up dense hardware",
                    checkpoint="compression",
                    needs=("07_training", "14_profiling"),
                    hours=(3, 4),
                ),
                Module(
                    "17_memoization",
                    "Memoization",
                    "memoization",
                    builds="caches with invalidation, the KV cache",
                    insight="how generation goes from O(n²) to O(n)",
                    checkpoint="caching",
                    needs=("13_transformers", "14_profiling"),
                    hours=(3, 4),
                ),
                Module(
                    "18_acceleration",
                    "Acceleration",
                    "acceleration",
                    builds="vectorized operations, parallel patterns",
                    insight="SIMD width, cache hierarchy, pipelining: 10–100×",
                    checkpoint="acceleration",
                    needs=("14_profiling",),
                    hours=(3, 4),
                ),
                Module(
                    "19_benchmarking",
                    "Benchmarking",
                    "benchmarking",
                    builds="timing, statistics, comparison",
                    insight="warm-up, significance, controlled variables",
                    checkpoint="benchmarking",
                    needs=("14_profiling",),
                    hours=(3, 4),
                ),
            ),
        ),
        Act(
            6,
            "VI",
            "Integration",
            "complete systems",
            "the whole system",
            (8, 10),
            "1.5",
            (
                Module(
                    "20_capstone",
                    "Capstone: TinyGPT",
                    "gpt",
                    builds="TinyGPT: tokens, embeddings, a multi-layer transformer, training, "
                    "quantization and pruning, benchmarks, sampling",
                    insight="what appears only when all parts work together",
                    checkpoint="complete systems",
                    needs=(
                        "13_transformers",
                        "15_quantization",
                        "16_compression",
                        "17_memoization",
                        "18_acceleration",
                        "19_benchmarking",
                    ),
                    hours=(8, 10),
                ),
            ),
        ),
    ),
    tiers=(
        Tier("Foundation", 1, 7),
        Tier("Architecture", 8, 13),
        Tier("Optimization", 14, 20),
    ),
    milestones=(
        Milestone("1957_perceptron", "1957", "Perceptron", 1, "your Linear recreates history"),
        Milestone("1969_xor", "1969", "XOR", 2, "your autograd trains a hidden layer"),
        Milestone("1986_mlp", "1986", "MLP", 2, "95%+ on MNIST"),
        Milestone("1998_cnn", "1998", "CNN", 3, "75%+ on CIFAR-10"),
        Milestone(
            "2017_transformer",
            "2017",
            "Transformer",
            4,
            "your attention writes coherent text",
        ),
        Milestone(
            "2024_systems",
            "2024",
            "Systems age",
            5,
            "Torch Olympics: under 100 ms inference latency, 4× less memory",
        ),
        Milestone("tinygpt", "", "TinyGPT", 6, "the complete framework, end to end"),
    ),
    weeks="14–18",
)
