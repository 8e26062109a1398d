//! Which suites there are, and which of their tests cannot pass everywhere.

/// A published crate whose tests are in its archive.
pub(super) struct Crate {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) features: &'static str,
    /// Whether its default features are on, too.
    pub(super) default: bool,
    /// Test programs that are built and not run, and why.
    pub(super) built: &'static [(&'static str, &'static str)],
    /// Parts of the names of tests that read files which are not in the archive.
    pub(super) absent: &'static [&'static str],
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

impl Crate {
    const fn new(name: &'static str, version: &'static str) -> Crate {
        Crate {
            name,
            version,
            features: "",
            default: true,
            built: &[],
            absent: &[],
            on_poll: &[],
            known: &[],
        }
    }
}

pub(super) const CRATES: &[Crate] = &[
    Crate {
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
        ..Crate::new("tokio", "1.54.1")
    },
    Crate {
        features: "full",
        ..Crate::new("tokio-stream", "0.1.19")
    },
    Crate {
        features: "full",
        ..Crate::new("tokio-util", "0.7.20")
    },
    Crate {
        features: "full",
        known: &[Known {
            program: "proxy",
            test: "test_socks_v5_with_locally_resolved_domain_works",
            reason: "looks up a public name, which needs a network",
        }],
        ..Crate::new("hyper-util", "0.1.21")
    },
    Crate {
        features: "support-v1_0",
        ..Crate::new("signal-hook-mio", "0.2.5")
    },
    Crate {
        features: "full",
        ..Crate::new("hyper", "1.12.0")
    },
    Crate {
        absent: &["hpack::test::fixture::"],
        ..Crate::new("h2", "0.4.20")
    },
    Crate::new("tokio-tungstenite", "0.30.0"),
    Crate::new("tokio-seqpacket", "0.9.1"),
    Crate::new("quinn", "0.11.12"),
    Crate::new("quinn-udp", "0.6.3"),
    Crate::new("actix-rt", "2.15.0"),
    Crate::new("actix-server", "2.10.0"),
    Crate::new("notify", "8.2.2"),
    Crate {
        features: "event-stream",
        ..Crate::new("crossterm", "0.29.0")
    },
    Crate::new("mio-serial", "5.0.7"),
    Crate::new("mio-signals", "0.3.0"),
    Crate::new("mio-pidfd", "0.4.0"),
];
