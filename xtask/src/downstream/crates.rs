//! Which suites there are, and which of their tests cannot pass everywhere.

/// A published crate whose tests are in its archive.
pub(super) struct Crate {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) features: &'static str,
    /// What makes its queues `Backend::Poll`: file, text that stands there once, and what replaces it.
    pub(super) on_poll: &'static [(&'static str, &'static str, &'static str)],
    pub(super) known: &'static [Known],
}

/// A test that cannot pass on every machine, whatever the mio.
pub(super) struct Known {
    pub(super) program: &'static str,
    pub(super) test: &'static str,
    /// What the machine does to it. It was seen to fail in the same way on the published mio.
    pub(super) reason: &'static str,
}

pub(super) const CRATES: &[Crate] = &[
    Crate {
        name: "tokio",
        version: "1.54.1",
        features: "full,test-util",
        on_poll: &[
            (
                "src/runtime/io/driver.rs",
                "mio::Poll::new()?",
                "mio::Poll::builder().backend(mio::Backend::Poll).build()?",
            ),
            (
                "Cargo.toml",
                "\n[dependencies.mio]\n",
                "\n[dependencies.mio]\nfeatures = [\"poll-backend\"]\n",
            ),
        ],
        known: &[Known {
            program: "fs_try_exists",
            test: "try_exists",
            reason: "run as root, whom no folder's permissions keep out",
        }],
    },
    Crate {
        name: "tokio-stream",
        version: "0.1.19",
        features: "full",
        on_poll: &[],
        known: &[],
    },
    Crate {
        name: "tokio-util",
        version: "0.7.20",
        features: "full",
        on_poll: &[],
        known: &[],
    },
    Crate {
        name: "hyper-util",
        version: "0.1.21",
        features: "full",
        on_poll: &[],
        known: &[Known {
            program: "proxy",
            test: "test_socks_v5_with_locally_resolved_domain_works",
            reason: "looks up a public name, which needs a network",
        }],
    },
    Crate {
        name: "signal-hook-mio",
        version: "0.2.5",
        features: "support-v1_0",
        on_poll: &[],
        known: &[],
    },
];
