//! # Guide
