import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import PDFDocument from 'pdfkit';
import type { ReceiptPage } from './receipt-page.ts';

const MARGIN = 56;
const COLUMN = 110;
const [INK, GREY, RULE] = ['#1a1a1a', '#5a5a5a', '#c8c8c8'];

/**
 * Writes a receipt as one page (A4), for a person to keep. The letters are those that every reader of PDF has.
 * @param made when, as its properties tell it
 * @throws {Error} the file system's
 */
export async function writePdf(file: string, page: ReceiptPage, made: Date): Promise<void> {
  const pdf = new PDFDocument({
    size: 'A4',
    margin: MARGIN,
    lang: 'en',
    displayTitle: true,
    info: { Title: page.title, Creator: 'SecureGate', Producer: 'SecureGate', CreationDate: made },
  });
  const written = pipeline(pdf, createWriteStream(file, { mode: 0o600 }));
  draw(pdf, page);
  pdf.end();
  await written;
}

function draw(pdf: PDFKit.PDFDocument, { title, lead, facts, boxes, check }: ReceiptPage): void {
  pdf.font('Helvetica-Bold').fontSize(20).fillColor(INK).text(title).moveDown(0.5);
  pdf.font('Helvetica').fontSize(11).text(lead).moveDown();
  rows(pdf, facts);
  heading(pdf, 'Where it was');
  rows(pdf, boxes);
  heading(pdf, 'How to check this');
  pdf.font('Helvetica').fontSize(10).text(check.what).moveDown(0.3);
  pdf.font('Courier').fontSize(9.5).text(check.digest).moveDown(0.6);
  pdf.font('Helvetica').fontSize(10).text(check.how).moveDown(0.3);
  pdf.font('Courier').fontSize(9.5).text(check.command).moveDown(0.6);
  pdf.font('Helvetica').fontSize(10).fillColor(GREY).text(check.keys);
}

function heading(pdf: PDFKit.PDFDocument, text: string): void {
  const y = pdf.y + 8;
  pdf
    .moveTo(MARGIN, y)
    .lineTo(pdf.page.width - MARGIN, y)
    .lineWidth(0.5)
    .strokeColor(RULE)
    .stroke();
  pdf
    .font('Helvetica-Bold')
    .fontSize(12)
    .fillColor(INK)
    .text(text, MARGIN, y + 12)
    .moveDown(0.5);
}

function rows(pdf: PDFKit.PDFDocument, all: ReceiptPage['facts']): void {
  for (const [name, value] of all) {
    const { y } = pdf;
    pdf.font('Helvetica').fontSize(10).fillColor(GREY).text(name, MARGIN, y, { width: COLUMN });
    const after = pdf.y;
    pdf.fillColor(INK).text(value, MARGIN + COLUMN, y, { width: pdf.page.width - 2 * MARGIN - COLUMN });
    pdf.y = Math.max(pdf.y, after) + 4;
  }
  pdf.x = MARGIN;
}
