//! Tables in Markdown, as benches print them and `numbers` gathers them. What is in them is a bench's business.

use std::fmt::Write;

/// A table with a title.
pub(crate) struct Table {
    text: String,
    columns: usize,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(title: &str, columns: &[&str]) -> Self {
        let mut table = Self { text: format!("\n**{title}**\n\n"), columns: columns.len() };
        table.line(columns.iter().copied());
        table.line(columns.iter().enumerate().map(|(index, _)| if index == 0 { "---" } else { "---:" }));
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[String]) {
        assert_eq!(cells.len(), self.columns, "a row has a cell for every column");
        self.line(cells.iter().map(String::as_str));
    }

    /// Adds a line under the table.
    pub(crate) fn note(&mut self, text: &str) {
        writeln!(self.text, "\n{text}").unwrap();
    }

    /// Prints it.
    pub(crate) fn print(self) {
        println!("{}", self.text);
    }

    fn line<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        let cells: Vec<&str> = cells.collect();
        writeln!(self.text, "| {} |", cells.join(" | ")).unwrap();
    }
}

/// Nanoseconds in the unit in which they are read best.
pub(crate) fn time(nanos: f64) -> String {
    match nanos {
        _ if nanos < 1e3 => format!("{nanos:.1} ns"),
        _ if nanos < 1e6 => format!("{:.2} us", nanos / 1e3),
        _ if nanos < 1e9 => format!("{:.2} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}

/// Bytes in the unit in which they are read best.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        _ if bytes < 1 << 20 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
    }
}

/// How many times as much.
pub(crate) fn times(value: f64, base: f64) -> String {
    format!("{:.2}", value / base)
}
