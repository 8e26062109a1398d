//! One suite of behaviour, written against the public API alone and run on every backend that this build has.
//!
//! A case is a function `fn name(backend: Backend)` in the module of its subject, and a line in the table of contents
//! below. The table makes one test of it per backend, named `epoll::edges::drained_and_refilled`; a case that is not in
//! the table is dead code, which does not compile here.
//!
//! What backends may differ in is in `backends.rs` and, where it is about what events say, in the tables of
//! `PLATFORMS.md`. Everything else holds for all of them.
//!
//! A backend that the system refuses is skipped, with a line on the standard output. `MIO_REQUIRE_BACKENDS` names those
//! for which that is a failure: `epoll,poll`, or `all` that are in the build.

#![cfg(any(unix, windows))]

mod alone;
mod backends;
mod bed;
#[path = "../facts/mod.rs"]
mod facts;
mod links;
#[cfg(unix)]
mod raw;
mod ready;
#[path = "../runner/mod.rs"]
mod runner;
mod system;

mod capacity;
mod closing;
mod edges;
#[cfg(all(unix, feature = "os-ext"))]
mod files;
mod lifetimes;
mod many;
#[cfg(unix)]
mod outer;
#[cfg(unix)]
mod processes;
mod registration;
mod short;
mod threads;
mod time;
mod triggers;
mod wakers;

/// Mounts the table on each backend.
macro_rules! suite {
    ($($table:tt)+) => {
        #[cfg(all(
            any(target_os = "linux", target_os = "android"),
            not(any(mio_model = "event_ports", mio_model = "kqueue"))
        ))]
        mod epoll {
            mount!(Epoll: $($table)+);
        }

        #[cfg(any(
            mio_model = "event_ports",
            target_os = "illumos",
            target_os = "solaris"
        ))]
        mod event_ports {
            mount!(EventPorts: $($table)+);
        }

        #[cfg(any(
            mio_model = "kqueue",
            target_vendor = "apple",
            target_os = "dragonfly",
            target_os = "freebsd",
            target_os = "netbsd",
            target_os = "openbsd"
        ))]
        mod kqueue {
            mount!(Kqueue: $($table)+);
        }

        #[cfg(all(unix, feature = "poll-backend", not(any(
            mio_model = "kqueue",
            target_vendor = "apple",
            target_os = "dragonfly",
            target_os = "freebsd",
            target_os = "netbsd",
            target_os = "openbsd"
        ))))]
        mod poll {
            mount!(Poll: $($table)+);
        }

        #[cfg(windows)]
        mod afd {
            mount!(Afd: $($table)+);
        }
    };
}

/// Makes a test of each case, on one backend.
macro_rules! mount {
    ($backend:ident: $($(#[$about:meta])* $subject:ident { $($(#[$needs:meta])* $case:ident)+ })+) => {
        $($(#[$about])* mod $subject {
            $($(#[$needs])* #[test] fn $case() {
                let name = concat!(module_path!(), "::", stringify!($case));
                crate::bed::run(mio::Backend::$backend, name, crate::$subject::$case);
            })+
        })+
    };
}

suite! {
    edges {
        ready_when_registered
        left_undrained_then_new_byte
        drained_and_refilled
        full_and_writable_again
        edges_come_again_and_again
        an_edge_is_no_level
        #[cfg(all(unix, feature = "os-ext"))] idle_bare_descriptor_does_not_spin
        blocked_read_leaves_writing_alone
        blocked_write_leaves_reading_alone
        unknown_direction_rearms
        #[cfg(feature = "net")] blocked_peek_rearms
        last_interest_counts
        reregister_reports_again
    }

    short {
        read_then_new_byte
        write_then_room
        #[cfg(feature = "net")] vectored_read_then_new_byte
        #[cfg(feature = "net")] vectored_write_then_room
        full_read_arms_nothing
        end_arms_nothing
        #[cfg(feature = "net")] peek_arms_nothing
        read_leaves_writing_alone
        write_leaves_reading_alone
        oneshot_is_not_armed
    }

    registration {
        registered_twice
        not_registered
        every_token_is_allowed
        shared_token
        token_reused_within_a_batch
        deregistered_with_an_event_pending
        deregistered_on_another_thread
        #[cfg(debug_assertions)] second_queue_is_an_error
        #[cfg(not(debug_assertions))] second_queue_reports_too
        two_queues_of_one_process
        #[cfg(all(unix, feature = "os-ext"))] bare_descriptor_in_two_queues
    }

    lifetimes {
        closed_without_deregistering
        number_reused_by_a_new_source
        number_reused_in_another_queue
        duplicate_of_a_registered_descriptor
        #[cfg(all(unix, feature = "os-ext"))] duplicate_of_a_bare_descriptor
        #[cfg(all(unix, feature = "os-ext"))] number_of_a_bare_descriptor_reused
        dropped_in_any_order
        registry_and_waker_outlive_the_queue
        sources_outlive_the_queue
    }

    #[cfg(all(unix, feature = "os-ext"))]
    files {
        regular_file
        directory
        null_device
        terminal
        not_a_descriptor
    }

    capacity {
        small_capacity_delivers_everything
        small_capacity_serves_levels_in_turn
        idle_sources_do_not_count_as_served
        small_capacity_with_wakers_pending
        no_capacity
        events_are_replaced
    }

    time {
        zero_does_not_wait
        never_early
        microseconds
        longest_timeouts
        deadlines
        busy_registry_does_not_move_the_end
        events_end_a_wait
    }

    wakers {
        wake_before_a_poll
        wake_during_a_poll
        wake_while_the_timeout_fires
        no_wake_is_lost
        no_work_is_stranded
        repeated_wakes_are_coalesced
        wakes_between_other_events
        woken_again_before_the_next_poll
        several_wakers
        triggers_are_not_for_wakers
        dropped_with_a_wake_pending
        made_and_dropped_during_a_poll
        #[cfg(target_os = "linux")] counter_at_its_maximum
        #[cfg(any(mio_unsupported_force_waker_pipe, target_os = "netbsd", target_os = "openbsd"))]
        more_wakes_than_a_pipe_holds
    }

    threads {
        registration_reaches_a_running_poll
        rearming_reaches_a_running_poll
        short_read_reaches_a_running_poll
        reregistration_reaches_a_running_poll
        oneshot_is_not_spent_on_the_past
        dropping_during_a_poll_closes_at_once
        deregistering_during_a_poll_closes_at_once
        every_byte_arrives
    }

    #[cfg(unix)]
    outer {
        queue_is_readable_when_a_source_is_ready
        queue_is_readable_when_a_waker_was_used
        queue_in_a_queue
    }

    #[cfg(unix)]
    processes {
        #[cfg(not(any(target_os = "tvos", target_os = "watchos")))] child_drops_everything
        poll_reports_signals
        poll_until_outlasts_signals
        signals_take_no_events
    }

    many {
        many_sources
    }

    closing {
        #[cfg(all(unix, feature = "net", feature = "os-ext"))] tables_are_complete
        it_happens_while_registered
        the_end_needs_no_would_block
        it_happened_before_registering
        other_triggers_say_what_the_system_says
        #[cfg(feature = "net")] reset_as_soon_as_connected
        #[cfg(all(unix, feature = "net"))] life_goes_on_after_an_error
    }

    triggers {
        level_while_readable
        level_while_writable
        level_of_both_directions
        level_of_writing_outlasts_the_peer_s_end
        level_with_capacity_one
        oneshot_is_silent_until_reregistered
        oneshot_disarms_the_other_direction
        oneshot_and_hang_up
        trigger_can_be_changed
        registry_carries_its_trigger
        triggers_side_by_side
    }
}
