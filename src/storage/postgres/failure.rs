//! What a failure of PostgreSQL means to the operator.

use std::{
    error::Error,
    fmt,
    io::{self, ErrorKind},
    iter,
};

use deadpool_postgres::PoolError;

/// A failure while the service runs, in the log with what to do about it.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refused, or can't be had.
    Postgres(tokio_postgres::Error),
    /// Every connection was busy for too long.
    AllBusy,
    /// The server took too long.
    TooSlow,
    /// What was read is no value of ours, or is sealed under another key or for another row.
    Damaged(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// For `map_err`: what was read can't be what was written.
    pub(super) fn damaged(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Damaged(cause.into())
    }

    /// Whether the same command may succeed at once: the server chose it to give way to another.
    pub(super) fn gave_way(&self) -> bool {
        matches!(self, Self::Postgres(error) if matches!(code(error), "40P01" | "40001"))
    }

    /// The unique constraint that has the value already.
    pub(super) fn taken(&self) -> Option<&str> {
        match self {
            Self::Postgres(error) if code(error) == "23505" => error.as_db_error()?.constraint(),
            _ => None,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::Postgres(error),
            PoolError::Timeout(deadpool_postgres::TimeoutType::Create) => Self::TooSlow,
            _ => Self::AllBusy,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(error) => {
                f.write_str(&words(error))?;
                Kind::of(error).map_or(Ok(()), |kind| write!(f, "; {}", kind.remedy()))
            }
            Self::AllBusy => f.write_str(
                "every connection to the database was busy for too long; raise \
                 database.max_connections, or give the database server more to work with",
            ),
            Self::TooSlow => f.write_str("the database took too long to answer"),
            Self::Damaged(cause) => {
                write!(f, "what the database holds can't be read: {cause}; restore a backup")
            }
        }
    }
}

impl Error for Failure {}

/// What kind of failure it is, where the operator can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody answers at that address.
    Unreachable,
    /// The server's certificate is not one to believe, or it offers no TLS.
    Tls,
    /// It knows no such user, or the password is wrong.
    NotAdmitted,
    /// It has no such database.
    NoDatabase,
    /// The user may not do that.
    NotAllowed,
    /// It takes no writes: it is a standby, or told so.
    ReadOnly,
    /// Its disk has no room.
    DiskFull,
    /// It has no memory left.
    OutOfMemory,
    /// It takes no more connections.
    TooManyConnections,
    /// It is starting or stopping.
    Restarting,
    /// It gave up a statement that took too long, or waited too long for another.
    TooSlow,
    /// What lies on its disk is damaged.
    Damaged,
}

impl Kind {
    /// The kind of a failure, if it has one; the codes are those of PostgreSQL's appendix A.
    pub(super) fn of(error: &tokio_postgres::Error) -> Option<Self> {
        if error.code().is_none() {
            return Self::of_connection(error);
        }
        match code(error) {
            "28000" | "28P01" => Some(Self::NotAdmitted),
            "3D000" => Some(Self::NoDatabase),
            "42501" => Some(Self::NotAllowed),
            "25006" => Some(Self::ReadOnly),
            "53100" => Some(Self::DiskFull),
            "53200" => Some(Self::OutOfMemory),
            "53300" => Some(Self::TooManyConnections),
            "57P01" | "57P02" | "57P03" => Some(Self::Restarting),
            "57014" | "55P03" => Some(Self::TooSlow),
            "XX001" | "XX002" => Some(Self::Damaged),
            _ => None,
        }
    }

    fn of_connection(error: &tokio_postgres::Error) -> Option<Self> {
        let io = || causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
        let is_tls = |error: &io::Error| {
            error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some()
        };
        if error.to_string().contains("TLS") || io().any(is_tls) {
            Some(Self::Tls)
        } else if error.is_closed() || io().next().is_some() || causes(error).next().is_none() {
            Some(Self::Unreachable)
        } else {
            None
        }
    }

    /// What to do about it.
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Unreachable => "see that PostgreSQL runs where database.url says",
            Self::Tls => {
                "give the server a certificate for its name in database.url, of an authority that \
                 this machine trusts"
            }
            Self::NotAdmitted => "set user and password in database.url right",
            Self::NoDatabase => "create the database, or name another in database.url",
            Self::NotAllowed => "make Portico's user the owner of its database",
            Self::ReadOnly => "name the server that takes writes in database.url",
            Self::DiskFull => {
                "make room on the database server's disk, and the service goes on by itself"
            }
            Self::OutOfMemory => "give the database server more memory",
            Self::TooManyConnections => {
                "raise max_connections of the server, or lower database.max_connections"
            }
            Self::Restarting => "the service goes on by itself when the server has started",
            Self::TooSlow => "see what keeps the database server busy",
            Self::Damaged => "the database is damaged: restore a backup",
        }
    }
}

fn causes(error: &tokio_postgres::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(error.source(), |&cause| cause.source())
}

fn code(error: &tokio_postgres::Error) -> &str {
    error.code().map_or("", |code| code.code())
}

/// What the server said, or what came between; never the values of a row, which its details hold.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return said.message().to_owned();
    }
    let refused = |cause: &(dyn Error + 'static)| match cause.downcast_ref::<io::Error>() {
        Some(io) if io.kind() == ErrorKind::ConnectionRefused => "nobody answers there".to_owned(),
        _ => cause.to_string(),
    };
    iter::once(error.to_string()).chain(causes(error).map(refused)).collect::<Vec<_>>().join(": ")
}
