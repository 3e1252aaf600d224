//! Flow records in Parquet.

use super::input::Item;
use super::records::{self, Columns};
use anyhow::{Context, anyhow, bail};
use parquet::basic::Compression;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use std::io::Read;

/// The records of a Parquet file. Its directory is at its end, so all of it is read first.
pub(super) fn read(
    mut input: impl Read,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Item>>> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).context("can not be read")?;
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes))
        .context("begins like Parquet and is none")?;
    for column in reader.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns) {
        unpacked(column.compression())
            .with_context(|| format!("column {}", column.column_path()))?;
    }
    let schema = reader.metadata().file_metadata().schema();
    let columns = Columns::find(schema.get_fields().iter().map(|own| own.name()))?;
    let rows = parquet::record::reader::RowIter::from_file_into(Box::new(reader));
    Ok((1..).zip(rows).map(move |(place, row)| {
        let row = row.map_err(anyhow::Error::from).and_then(|row| record(place, &columns, &row));
        row.with_context(|| format!("row {place}"))
    }))
}

/// Refuses what nothing here unpacks: the libraries for it are in C, or large for how seldom they serve.
fn unpacked(codec: Compression) -> anyhow::Result<()> {
    let name = match codec {
        Compression::ZSTD(_) => "zstd",
        Compression::BROTLI(_) => "brotli",
        Compression::LZO => "LZO",
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::LZ4
        | Compression::LZ4_RAW => return Ok(()),
    };
    bail!(
        "is compressed with {name}; snappy, gzip and lz4 can be read. Write the file anew, or pipe it: \
         `duckdb -csv -c \"FROM 'FILE'\" | nsx-sim replay -`"
    )
}

fn record(place: u64, columns: &Columns, row: &Row) -> anyhow::Result<Item> {
    let fields: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
    let texts = columns.pick(|place| fields.get(place).map(|field| text(field)));
    let [src, dst, proto, sport, dport, count] = texts;
    let texts = [
        src.transpose()?.flatten(),
        dst.transpose()?.flatten(),
        proto.transpose()?.flatten(),
        sport.transpose()?.flatten(),
        dport.transpose()?.flatten(),
        count.transpose()?.flatten(),
    ];
    records::item(place, texts.each_ref().map(|text| text.as_deref()))
}

/// A value as CSV would have it.
fn text(field: &Field) -> anyhow::Result<Option<String>> {
    Ok(Some(match field {
        Field::Null => return Ok(None),
        Field::Str(text) => text.clone(),
        Field::Byte(number) => number.to_string(),
        Field::Short(number) => number.to_string(),
        Field::Int(number) => number.to_string(),
        Field::Long(number) => number.to_string(),
        Field::UByte(number) => number.to_string(),
        Field::UShort(number) => number.to_string(),
        Field::UInt(number) => number.to_string(),
        Field::ULong(number) => number.to_string(),
        Field::Bytes(bytes) => String::from_utf8(bytes.data().to_vec())?,
        other => return Err(anyhow!("{other} is neither text nor a whole number")),
    }))
}
