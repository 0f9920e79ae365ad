//! What `nginx -t` says about a configuration.

/// The outcome of `nginx -t`.
pub struct Check {
    /// The exit code; `None` if a signal ended nginx.
    pub code: Option<i32>,
    /// Everything that nginx printed.
    pub stderr: String,
    pub(crate) config: String,
    pub(crate) config_path: String,
}

impl Check {
    /// Whether nginx would start.
    pub fn accepted(&self) -> bool {
        self.code == Some(0)
    }

    /// The one error that nginx reports for the line which holds `text`.
    #[track_caller]
    pub fn error_at(&self, text: &str) -> &str {
        assert_eq!(self.code, Some(1), "not refused: {}", self.stderr);
        self.only_message("[emerg]", text)
    }

    /// The one warning that nginx reports for the line which holds `text`.
    #[track_caller]
    pub fn warning_at(&self, text: &str) -> &str {
        assert!(self.accepted(), "refused: {}", self.stderr);
        self.only_message("[warn]", text)
    }

    #[track_caller]
    fn only_message(&self, level: &str, text: &str) -> &str {
        let lines: Vec<usize> = (1..)
            .zip(self.config.lines())
            .filter(|(_, line)| line.contains(text))
            .map(|(number, _)| number)
            .collect();
        let [line] = lines[..] else {
            panic!("{text:?} is to be on one line of\n{}", self.config);
        };
        let place = format!(" in {}:{line}", self.config_path);
        let messages: Vec<&str> = self
            .stderr
            .lines()
            .filter(|message| message.contains(level) && message.ends_with(&place))
            .collect();
        let [message] = messages[..] else {
            panic!("expected one {level}{place}, got\n{}", self.stderr);
        };
        message
    }
}
