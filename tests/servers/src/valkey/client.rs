//! As much of the protocol as setting up a cluster needs.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::ServerError;

/// A connection to one server.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing.
    Nil,
    /// A number.
    Number(i64),
    /// Bytes, or a text.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Reply>),
}

impl Connection {
    pub(super) fn open(port: u16, password: Option<&str>) -> Result<Self, ServerError> {
        let open = || -> io::Result<TcpStream> {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream =
            open().map_err(|source| ServerError::System { path: format!("127.0.0.1:{port}").into(), source })?;
        let mut connection = Self { stream: BufReader::new(stream) };
        if let Some(password) = password {
            connection.ask(&["AUTH", password])?;
        }
        Ok(connection)
    }

    /// For how long answers are waited for.
    ///
    /// # Errors
    /// [`ServerError::System`] if the system refuses that.
    pub fn set_patience(&mut self, patience: Duration) -> Result<(), ServerError> {
        let set = self.stream.get_mut().set_read_timeout(Some(patience));
        set.map_err(|source| ServerError::System { path: "the connection to valkey-server".into(), source })
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// [`ServerError::Failed`] if the server refuses it, [`ServerError::System`] if it does not answer.
    pub fn ask(&mut self, command: &[impl AsRef<[u8]>]) -> Result<Reply, ServerError> {
        self.send(command).and_then(|()| self.receive()).unwrap_or_else(|source| {
            Err(ServerError::System { path: "the connection to valkey-server".into(), source })
        })
    }

    /// One line of what a server says of itself: of its `INFO`, or of `CLUSTER INFO`.
    pub fn info(&mut self, section: &str, name: &str) -> Option<String> {
        let command = if section == "CLUSTER" { ["CLUSTER", "INFO"] } else { ["INFO", section] };
        let text = self.ask(&command).ok()?.text()?;
        let line = text.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
        line.map(str::to_owned)
    }

    /// Sends a command and does not wait for its answer.
    ///
    /// # Errors
    /// Those of the system.
    pub fn send(&mut self, command: &[impl AsRef<[u8]>]) -> io::Result<()> {
        let mut bytes = Vec::new();
        encode(command, &mut bytes);
        self.stream.get_mut().write_all(&bytes)
    }

    /// Sends commands at once and does not wait for their answers.
    ///
    /// # Errors
    /// Those of the system.
    pub fn send_all(&mut self, commands: &[Vec<impl AsRef<[u8]>>]) -> io::Result<()> {
        let mut bytes = Vec::new();
        commands.iter().for_each(|command| encode(command, &mut bytes));
        self.stream.get_mut().write_all(&bytes)
    }

    /// Waits for the answer to a command that was sent.
    ///
    /// # Errors
    /// Those of the system; inside, that the server has refused the command.
    pub fn receive(&mut self) -> io::Result<Result<Reply, ServerError>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        let Some(kind) = line.chars().next() else { return Err(io::ErrorKind::InvalidData.into()) };
        let rest = line.get(1..).unwrap_or_default();
        let number = || rest.parse::<i64>().map_err(|_| io::Error::from(io::ErrorKind::InvalidData));
        Ok(Ok(match kind {
            '+' => Reply::Bytes(rest.as_bytes().to_vec()),
            '-' => {
                let (program, output) = ("valkey-server".to_owned(), rest.to_owned());
                return Ok(Err(ServerError::Failed { program, output }));
            }
            ':' => Reply::Number(number()?),
            '$' => match usize::try_from(number()?) {
                Ok(length) => {
                    let mut bytes = vec![0; length + 2];
                    self.stream.read_exact(&mut bytes)?;
                    bytes.truncate(length);
                    Reply::Bytes(bytes)
                }
                Err(_) => Reply::Nil,
            },
            '*' => {
                let mut list = Vec::new();
                for _ in 0..number()? {
                    match self.receive()? {
                        Ok(reply) => list.push(reply),
                        Err(error) => return Ok(Err(error)),
                    }
                }
                Reply::List(list)
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }))
    }
}

fn encode(command: &[impl AsRef<[u8]>], bytes: &mut Vec<u8>) {
    bytes.extend(format!("*{}\r\n", command.len()).into_bytes());
    for part in command {
        let part = part.as_ref();
        bytes.extend(format!("${}\r\n", part.len()).into_bytes());
        bytes.extend(part);
        bytes.extend(b"\r\n");
    }
}

impl Reply {
    /// The text, if it is one.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        }
    }

    /// The first member of a list, if that is a text.
    pub fn first_text(&self) -> Option<String> {
        match self {
            Self::List(list) => list.first()?.text(),
            _ => None,
        }
    }
}
