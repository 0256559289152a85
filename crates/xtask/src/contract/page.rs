//! From interfaces to Markdown.

use std::fmt::Write;

use anyhow::{Context, bail};
use wit_parser::{
    Docs, Function, Interface, InterfaceId, PackageId, Resolve, Result_, Type, TypeDef, TypeDefKind, TypeId, TypeOwner,
    World, WorldItem,
};

/// The page of a package. Fails on what has no documentation.
pub(crate) fn render(resolve: &Resolve, package: PackageId) -> anyhow::Result<String> {
    let package = resolve.packages.get(package).context("the package is not among those that were read")?;
    let worlds: Vec<&World> = package.worlds.values().filter_map(|id| resolve.worlds.get(*id)).collect();
    let interfaces = in_order(&worlds, package.interfaces.values().copied());

    let mut page = Page { resolve, text: String::new() };
    page.line("<!-- Written by `cargo xtask contract` from wit/. Change it there. -->");
    page.line("# The contract");
    page.line(&format!(
        "Package `{}`: what functions, the policy and the host say to one another. The interfaces are written in \
         [WIT](https://component-model.bytecodealliance.org/design/wit.html); the files are in [`wit/`](../wit).",
        package.name
    ));
    page.contents(&worlds, &interfaces)?;
    for world in &worlds {
        page.world(world).with_context(|| format!("world {}", world.name))?;
    }
    for id in interfaces {
        let interface = page.interface_of(id)?;
        page.interface(interface).with_context(|| format!("interface {}", name_of(interface)))?;
    }
    Ok(page.text)
}

/// Interfaces in the order in which worlds speak of them, which is the order in which a reader needs them.
fn in_order(worlds: &[&World], all: impl Iterator<Item = InterfaceId>) -> Vec<InterfaceId> {
    let items = worlds.iter().flat_map(|world| world.imports.values().chain(world.exports.values()));
    let named = items.filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    });
    let mut ordered = Vec::new();
    for id in named.chain(all) {
        if !ordered.contains(&id) {
            ordered.push(id);
        }
    }
    ordered
}

struct Page<'a> {
    resolve: &'a Resolve,
    text: String,
}

impl<'a> Page<'a> {
    /// A paragraph, a heading or a list.
    fn line(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn heading(&mut self, level: usize, anchor: &str, text: &str) {
        self.line(&format!("{} <a id=\"{anchor}\"></a>{text}", "#".repeat(level)));
    }

    fn interface_of(&self, id: InterfaceId) -> anyhow::Result<&'a Interface> {
        self.resolve.interfaces.get(id).context("an interface is not among those that were read")
    }

    fn contents(&mut self, worlds: &[&World], interfaces: &[InterfaceId]) -> anyhow::Result<()> {
        let mut rows = String::from("| | |\n|---|---|\n");
        for world in worlds {
            let summary = summary(documented(&world.docs)?);
            writeln!(rows, "| world [`{0}`](#world-{0}) | {summary} |", world.name)?;
        }
        for id in interfaces {
            let interface = self.interface_of(*id)?;
            let (name, summary) = (name_of(interface), summary(documented(&interface.docs)?));
            writeln!(rows, "| interface [`{name}`](#{name}) | {summary} |")?;
        }
        self.line(&rows);
        Ok(())
    }

    fn world(&mut self, world: &World) -> anyhow::Result<()> {
        self.heading(2, &format!("world-{}", world.name), &format!("World `{}`", world.name));
        self.line(documented(&world.docs)?);
        for (verb, items) in [("Imports", &world.imports), ("Exports", &world.exports)] {
            let mut names = Vec::new();
            for item in items.values() {
                let WorldItem::Interface { id, .. } = item else { bail!("only interfaces have a form on the page") };
                let name = name_of(self.interface_of(*id)?);
                names.push(format!("[`{name}`](#{name})"));
            }
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            self.line(&format!("{verb}: {names}."));
        }
        Ok(())
    }

    fn interface(&mut self, interface: &Interface) -> anyhow::Result<()> {
        let name = name_of(interface);
        self.heading(2, name, &format!("Interface `{name}`"));
        self.line(documented(&interface.docs)?);
        for function in interface.functions.values() {
            self.function(name, function).with_context(|| format!("function {}", function.name))?;
        }
        for (type_name, id) in &interface.types {
            self.type_definition(name, *id).with_context(|| format!("type {type_name}"))?;
        }
        Ok(())
    }

    fn function(&mut self, interface: &str, function: &Function) -> anyhow::Result<()> {
        let name = &function.name;
        self.heading(3, &anchor(interface, name), &format!("`{name}`"));
        let mut signature = Code::new();
        signature.text(&format!("{name}: func("));
        for (index, parameter) in function.params.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            signature.text(&format!("{comma}{}: ", parameter.name));
            self.type_name(&mut signature, &parameter.ty)?;
        }
        signature.text(")");
        if let Some(result) = &function.result {
            signature.text(" -> ");
            self.type_name(&mut signature, result)?;
        }
        self.line(&signature.finish());
        self.line(documented(&function.docs)?);
        Ok(())
    }

    fn type_definition(&mut self, interface: &str, id: TypeId) -> anyhow::Result<()> {
        let definition = self.definition(id)?;
        let name = definition.name.as_deref().context("a type of an interface has a name")?;
        let (kind, column, rows) = match &definition.kind {
            TypeDefKind::Record(record) => {
                let rows = record.fields.iter().map(|field| (&field.name, Some(&field.ty), &field.docs));
                ("record", "field", rows.collect())
            }
            TypeDefKind::Variant(variant) => {
                let rows = variant.cases.iter().map(|case| (&case.name, case.ty.as_ref(), &case.docs));
                ("variant", "case", rows.collect())
            }
            TypeDefKind::Enum(cases) => {
                ("enum", "case", cases.cases.iter().map(|case| (&case.name, None, &case.docs)).collect())
            }
            TypeDefKind::Flags(flags) => {
                ("flags", "flag", flags.flags.iter().map(|flag| (&flag.name, None, &flag.docs)).collect())
            }
            _ => ("type", "", Vec::new()),
        };
        self.heading(3, &anchor(interface, name), &format!("{kind} `{name}`"));
        if rows.is_empty() {
            let mut code = Code::new();
            code.text(&format!("{name} = "));
            self.type_of_kind(&mut code, &definition.kind)?;
            self.line(&code.finish());
        }
        self.line(documented(&definition.docs)?);
        if !rows.is_empty() {
            let table = self.table(column, &rows)?;
            self.line(&table);
        }
        Ok(())
    }

    fn table(&self, column: &str, rows: &[(&String, Option<&Type>, &Docs)]) -> anyhow::Result<String> {
        let has_types = rows.iter().any(|(_, ty, _)| ty.is_some());
        let mut table = format!("| {column} |{} meaning |\n", if has_types { " type |" } else { "" });
        table += if has_types { "|---|---|---|\n" } else { "|---|---|\n" };
        for (name, ty, docs) in rows {
            let meaning = cell(documented(docs).with_context(|| format!("{column} {name}"))?);
            let mut code = Code::new();
            if let Some(ty) = ty {
                self.type_name(&mut code, ty)?;
            }
            let ty = if has_types { format!(" {} |", code.finish()) } else { String::new() };
            writeln!(table, "| `{name}` |{ty} {meaning} |")?;
        }
        Ok(table)
    }

    fn definition(&self, id: TypeId) -> anyhow::Result<&'a TypeDef> {
        self.resolve.types.get(id).context("a type is not among those that were read")
    }

    /// A type where it is used: its name, which leads to its definition.
    fn type_name(&self, code: &mut Code, ty: &Type) -> anyhow::Result<()> {
        match ty {
            Type::Bool => code.text("bool"),
            Type::U8 => code.text("u8"),
            Type::U16 => code.text("u16"),
            Type::U32 => code.text("u32"),
            Type::U64 => code.text("u64"),
            Type::S8 => code.text("s8"),
            Type::S16 => code.text("s16"),
            Type::S32 => code.text("s32"),
            Type::S64 => code.text("s64"),
            Type::F32 => code.text("f32"),
            Type::F64 => code.text("f64"),
            Type::Char => code.text("char"),
            Type::String => code.text("string"),
            Type::ErrorContext => code.text("error-context"),
            Type::Id(id) => {
                let definition = self.definition(*id)?;
                match (&definition.name, definition.owner) {
                    (Some(name), TypeOwner::Interface(interface)) => {
                        code.link(name, &anchor(name_of(self.interface_of(interface)?), name));
                    }
                    _ => self.type_of_kind(code, &definition.kind)?,
                }
            }
        }
        Ok(())
    }

    /// A type that is put together from others.
    fn type_of_kind(&self, code: &mut Code, kind: &TypeDefKind) -> anyhow::Result<()> {
        match kind {
            TypeDefKind::Type(ty) => self.type_name(code, ty),
            TypeDefKind::Option(ty) => self.generic(code, "option", &[Some(ty)]),
            TypeDefKind::List(ty) => self.generic(code, "list", &[Some(ty)]),
            TypeDefKind::Tuple(tuple) => self.generic(code, "tuple", &tuple.types.iter().map(Some).collect::<Vec<_>>()),
            TypeDefKind::Result(Result_ { ok: None, err: None }) => {
                code.text("result");
                Ok(())
            }
            TypeDefKind::Result(Result_ { ok, err: None }) => self.generic(code, "result", &[ok.as_ref()]),
            TypeDefKind::Result(Result_ { ok, err }) => self.generic(code, "result", &[ok.as_ref(), err.as_ref()]),
            other => bail!("a {} has no form on the page yet", other.as_str()),
        }
    }

    fn generic(&self, code: &mut Code, name: &str, arguments: &[Option<&Type>]) -> anyhow::Result<()> {
        code.text(&format!("{name}<"));
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                code.text(", ");
            }
            match argument {
                Some(ty) => self.type_name(code, ty)?,
                None => code.text("_"),
            }
        }
        code.text(">");
        Ok(())
    }
}

/// Code with links in it, which Markdown has only as pieces of code side by side.
struct Code {
    done: String,
    piece: String,
}

impl Code {
    fn new() -> Self {
        Self { done: String::new(), piece: String::new() }
    }

    fn text(&mut self, text: &str) {
        self.piece.push_str(text);
    }

    fn link(&mut self, text: &str, anchor: &str) {
        self.end_piece();
        self.done += &format!("[`{text}`](#{anchor})");
    }

    fn end_piece(&mut self) {
        if !self.piece.is_empty() {
            self.done += &format!("`{}`", std::mem::take(&mut self.piece));
        }
    }

    fn finish(mut self) -> String {
        self.end_piece();
        self.done
    }
}

/// Names are unique within an interface.
fn anchor(interface: &str, name: &str) -> String {
    format!("{interface}-{name}")
}

fn name_of(interface: &Interface) -> &str {
    interface.name.as_deref().unwrap_or("unnamed")
}

fn documented(docs: &Docs) -> anyhow::Result<&str> {
    docs.contents.as_deref().map(str::trim).filter(|text| !text.is_empty()).context("it has no documentation")
}

/// Documentation as a cell of a table, which has one line.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The first paragraph, as a cell.
fn summary(text: &str) -> String {
    cell(text.split("\n\n").next().unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(source: &str) -> anyhow::Result<String> {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("test.wit", source)?;
        render(&resolve, package)
    }

    const CONTRACT: &str = r#"
package test:contract@1.2.3;

/// A shop.
///
/// It is open.
interface shop {
    /// An order.
    record order {
        /// What is wanted:
        /// a | b.
        what: list<tuple<string, u8>>,
        /// By whom.
        by: option<customer>,
    }
    /// A customer.
    type customer = string;
    /// Why not.
    variant refusal {
        /// It is closed.
        closed,
        /// It is too late by that much.
        late(u32),
    }
    /// What day.
    enum day {
        /// The first.
        monday,
    }
    /// Wishes.
    flags wishes {
        /// Soon.
        soon,
    }
    /// Orders something.
    place: func(order: order, wishes: wishes) -> result<_, refusal>;
}

/// Who buys.
world buyer {
    import shop;
}
"#;

    #[test]
    fn the_page_shows_everything_with_its_words_and_links() {
        let page = page(CONTRACT).unwrap();
        for expected in [
            "Package `test:contract@1.2.3`: ",
            "| world [`buyer`](#world-buyer) | Who buys. |\n| interface [`shop`](#shop) | A shop. |\n",
            "## <a id=\"world-buyer\"></a>World `buyer`\n\nWho buys.\n\nImports: [`shop`](#shop).\n\nExports: nothing.\n",
            "## <a id=\"shop\"></a>Interface `shop`\n\nA shop.\n\nIt is open.\n",
            "### <a id=\"shop-place\"></a>`place`\n\n`place: func(order: `[`order`](#shop-order)`, wishes: `\
             [`wishes`](#shop-wishes)`) -> result<_, `[`refusal`](#shop-refusal)`>`\n\nOrders something.\n",
            "### <a id=\"shop-order\"></a>record `order`\n\nAn order.\n\n| field | type | meaning |\n|---|---|---|\n\
             | `what` | `list<tuple<string, u8>>` | What is wanted: a \\| b. |\n\
             | `by` | `option<`[`customer`](#shop-customer)`>` | By whom. |\n",
            "### <a id=\"shop-customer\"></a>type `customer`\n\n`customer = string`\n\nA customer.\n",
            "| case | type | meaning |\n|---|---|---|\n| `closed` |  | It is closed. |\n\
             | `late` | `u32` | It is too late by that much. |\n",
            "enum `day`\n\nWhat day.\n\n| case | meaning |\n|---|---|\n| `monday` | The first. |\n",
            "flags `wishes`\n\nWishes.\n\n| flag | meaning |\n|---|---|\n| `soon` | Soon. |\n",
        ] {
            assert!(page.contains(expected), "{expected}\nis not in\n{page}");
        }
    }

    #[test]
    fn every_link_leads_somewhere() {
        let page = page(CONTRACT).unwrap();
        let links: Vec<&str> = page.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
        assert!(links.len() > 5);
        for link in links {
            assert!(page.contains(&format!("<a id=\"{link}\"></a>")), "{link}");
        }
    }

    #[test]
    fn what_has_no_documentation_is_named() {
        for (line, named) in [
            ("/// A shop.\n///\n/// It is open.", "it has no documentation"),
            ("/// Orders something.", "interface shop: function place: it has no documentation"),
            ("/// It is closed.", "interface shop: type refusal: case closed: it has no documentation"),
        ] {
            assert!(CONTRACT.contains(line));
            let error = page(&CONTRACT.replace(line, "")).unwrap_err();
            assert_eq!(format!("{error:#}"), named);
        }
    }
}
