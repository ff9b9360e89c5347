using System.Globalization;
using System.Text;

namespace DonkeyWork.CodeSandbox.Server.Tests.Terminals;

/// <summary>
/// What a person would see: enough of an xterm for full-screen programs (ECMA-48, "XTerm Control Sequences"). Colours and
/// queries are passed over; every character is one cell wide.
/// </summary>
internal sealed class Screen
{
    private const char Escape = '\u001b';

    private readonly Decoder _decoder = new UTF8Encoding(false, false).GetDecoder();
    private readonly StringBuilder _sequence = new();
    private char[][] _lines;
    private char[][]? _main;
    private (int Row, int Column) _saved;
    private int _row;
    private int _column;
    private int _top;
    private int _bottom;
    private bool _wraps;

    public Screen(int columns, int rows)
    {
        (Columns, Rows) = (columns, rows);
        _lines = Blank(columns, rows);
        _bottom = rows - 1;
    }

    public int Columns { get; private set; }

    public int Rows { get; private set; }

    public (int Row, int Column) Cursor => (_row, _column);

    /// <summary>All lines, without the blanks at their ends.</summary>
    public string Text => string.Join('\n', _lines.Select(line => new string(line).TrimEnd())).TrimEnd('\n');

    public string Line(int row) => new string(_lines[row]).TrimEnd();

    /// <summary>Changes the size, and blanks it: what is seen afterwards was drawn for it.</summary>
    public void Resize(int columns, int rows)
    {
        _lines = Blank(columns, rows);
        _main = _main is null ? null : Blank(columns, rows);
        (Columns, Rows) = (columns, rows);
        (_top, _bottom) = (0, rows - 1);
        MoveTo(_row, _column);
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        var characters = new char[_decoder.GetCharCount(bytes, false)];
        _decoder.GetChars(bytes, characters, false);
        foreach (var character in characters)
            Write(character);
    }

    private void Write(char character)
    {
        if (_sequence.Length > 0)
        {
            _sequence.Append(character);
            if (Continue(_sequence.ToString()))
                _sequence.Clear();
        }
        else if (character == Escape)
        {
            _sequence.Append(character);
        }
        else if (character < ' ')
        {
            Control(character);
        }
        else if (character != '\u007f')
        {
            Print(character);
        }
    }

    private void Control(char character)
    {
        switch (character)
        {
            case '\r':
                MoveTo(_row, 0);
                break;
            case '\n' or '\v' or '\f':
                Feed();
                break;
            case '\b':
                MoveTo(_row, _column - 1);
                break;
            case '\t':
                MoveTo(_row, (_column / 8 + 1) * 8);
                break;
        }
    }

    private void Print(char character)
    {
        if (_wraps)
        {
            MoveTo(_row, 0);
            Feed();
        }

        _lines[_row][_column] = character;
        if (_column == Columns - 1)
            _wraps = true;
        else
            _column++;
    }

    /// <summary>Whether the sequence is complete; then it has been obeyed.</summary>
    private bool Continue(string sequence)
    {
        switch (sequence[1])
        {
            case '[':
                if (sequence.Length == 2 || sequence[^1] is < '@' or > '~')
                    return false;
                Obey(sequence[2..^1], sequence[^1]);
                return true;
            // Strings for the terminal's title and its kind.
            case ']' or 'P' or 'X' or '^' or '_':
                return sequence[^1] == '\a' || sequence.EndsWith($"{Escape}\\", StringComparison.Ordinal);
            case '(' or ')' or '*' or '+' or '#' or '%' or ' ':
                return sequence.Length == 3;
            case '7':
                _saved = (_row, _column);
                return true;
            case '8':
                MoveTo(_saved.Row, _saved.Column);
                return true;
            case 'D':
                Feed();
                return true;
            case 'E':
                MoveTo(_row, 0);
                Feed();
                return true;
            case 'M' when _row == _top:
                Scroll(-1, _top);
                return true;
            case 'M':
                MoveTo(_row - 1, _column);
                return true;
            case 'c':
                _lines = Blank(Columns, Rows);
                MoveTo(0, 0);
                return true;
            default:
                return true;
        }
    }

    private void Obey(string text, char command)
    {
        if (text.StartsWith('?') && command is 'h' or 'l')
        {
            foreach (var mode in text[1..].Split(';'))
                SetMode(mode, command == 'h');
            return;
        }

        // Private ones and those with intermediates set nothing that can be seen.
        if (text.Any(character => character is not (';' or (>= '0' and <= '9'))))
            return;
        var numbers = text.Split(';').Select(number => number.Length == 0 ? 0 : int.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        var first = Math.Max(numbers[0], 1);
        var second = numbers.Length > 1 ? Math.Max(numbers[1], 1) : 1;
        switch (command)
        {
            case 'A':
                MoveTo(_row - first, _column);
                break;
            case 'B' or 'e':
                MoveTo(_row + first, _column);
                break;
            case 'C' or 'a':
                MoveTo(_row, _column + first);
                break;
            case 'D':
                MoveTo(_row, _column - first);
                break;
            case 'E':
                MoveTo(_row + first, 0);
                break;
            case 'F':
                MoveTo(_row - first, 0);
                break;
            case 'G' or '`':
                MoveTo(_row, first - 1);
                break;
            case 'H' or 'f':
                MoveTo(first - 1, second - 1);
                break;
            case 'd':
                MoveTo(first - 1, _column);
                break;
            case 'J':
                EraseScreen(numbers[0]);
                break;
            case 'K':
                EraseLine(_row, numbers[0] == 0 ? _column : 0, numbers[0] == 1 ? _column + 1 : Columns);
                break;
            case 'X':
                EraseLine(_row, _column, Math.Min(_column + first, Columns));
                break;
            case 'P':
                Array.Copy(_lines[_row], Math.Min(_column + first, Columns), _lines[_row], _column, Math.Max(Columns - _column - first, 0));
                EraseLine(_row, Math.Max(Columns - first, _column), Columns);
                break;
            case '@':
                Array.Copy(_lines[_row], _column, _lines[_row], Math.Min(_column + first, Columns), Math.Max(Columns - _column - first, 0));
                EraseLine(_row, _column, Math.Min(_column + first, Columns));
                break;
            case 'L':
                Scroll(-first, _row);
                break;
            case 'M':
                Scroll(first, _row);
                break;
            case 'S':
                Scroll(first, _top);
                break;
            case 'T':
                Scroll(-first, _top);
                break;
            case 'r':
                (_top, _bottom) = (first - 1, numbers.Length > 1 && numbers[1] > 0 ? Math.Min(numbers[1], Rows) - 1 : Rows - 1);
                MoveTo(0, 0);
                break;
        }
    }

    private void SetMode(string mode, bool on)
    {
        // The other screen, with or without keeping the cursor.
        if (mode is not ("1049" or "1047" or "47"))
            return;
        if (on && _main is null)
        {
            _saved = (_row, _column);
            (_main, _lines) = (_lines, Blank(Columns, Rows));
        }
        else if (!on && _main is not null)
        {
            (_lines, _main) = (_main, null);
            MoveTo(_saved.Row, _saved.Column);
        }
    }

    private void MoveTo(int row, int column)
    {
        _row = Math.Clamp(row, 0, Rows - 1);
        _column = Math.Clamp(column, 0, Columns - 1);
        _wraps = false;
    }

    private void Feed()
    {
        if (_row == _bottom)
            Scroll(1, _top);
        else
            MoveTo(_row + 1, _column);
        _wraps = false;
    }

    /// <summary>Moves the lines from <paramref name="from"/> to the end of the scrolling region up, or down.</summary>
    private void Scroll(int count, int from)
    {
        for (var i = 0; i < Math.Abs(count) && from <= _bottom; i++)
        {
            var (gone, fresh) = count > 0 ? (from, _bottom) : (_bottom, from);
            var line = _lines[gone];
            Array.Copy(_lines, count > 0 ? from + 1 : from, _lines, count > 0 ? from : from + 1, _bottom - from);
            _lines[fresh] = line;
            EraseLine(fresh, 0, Columns);
        }
    }

    private void EraseScreen(int what)
    {
        for (var row = 0; row < Rows; row++)
        {
            if (what >= 2 || (what == 0 ? row > _row : row < _row))
                EraseLine(row, 0, Columns);
        }

        if (what < 2)
            EraseLine(_row, what == 0 ? _column : 0, what == 0 ? Columns : _column + 1);
    }

    private void EraseLine(int row, int from, int to) => Array.Fill(_lines[row], ' ', from, to - from);

    private static char[][] Blank(int columns, int rows)
    {
        var lines = new char[rows][];
        for (var row = 0; row < rows; row++)
            lines[row] = Enumerable.Repeat(' ', columns).ToArray();
        return lines;
    }
}
