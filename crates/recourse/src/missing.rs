//! What a call does when something that its policy needs is missing.

use recourse_core::DecisionMode;

macro_rules! modes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $mode:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
        #[non_exhaustive]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// How events and timelines name this mode.
            #[must_use]
            pub const fn mode(self) -> DecisionMode {
                match self { $($name::$variant => DecisionMode::$mode),* }
            }
        }
    };
}

modes! {
    /// When the provider has no policy for a key.
    MissingPolicy {
        /// The call fails with `no_policy`, carrying the provider's error.
        #[default]
        Deny = Deny,
        /// A single attempt, without anything else.
        Allow = Allow,
        /// The default policy.
        Fallback = Fallback,
    }
}

modes! {
    /// When a policy names a classifier that is not registered.
    MissingClassifier {
        /// The executor's default classifier judges, and every outcome says so.
        #[default]
        Fallback = Fallback,
        /// The call fails with `classifier_not_found`.
        Deny = Deny,
    }
}

modes! {
    /// When a policy names a budget that is not registered.
    MissingBudget {
        /// A missing retry budget ends the call before its operation runs; a missing hedge budget launches no hedges.
        #[default]
        Deny = Deny,
        /// Attempts go through unguarded. A storm is then possible, hence the name.
        AllowUnsafe = AllowUnsafe,
    }
}

modes! {
    /// When a policy names a hedge trigger that is not registered.
    MissingTrigger {
        /// The fixed delay decides.
        #[default]
        Fallback = Fallback,
        /// No hedge is launched.
        Deny = Deny,
    }
}

modes! {
    /// When a policy names a circuit breaker that is not registered.
    MissingBreaker {
        /// The call fails with `breaker_not_found`.
        #[default]
        Deny = Deny,
        /// Consecutive failures decide.
        Fallback = Fallback,
    }
}
