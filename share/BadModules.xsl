<?xml version="1.0" encoding="UTF-8"?>
<!-- The page of BadModulesFile.xml. The file names no style sheet (its bytes are fixed), so only the command
     "sctcalib show" uses this one. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="BadStrips.xsl"/>

  <xsl:template match="/modules">
    <html lang="en">
      <xsl:call-template name="head"><xsl:with-param name="title">Trips of the high voltage</xsl:with-param></xsl:call-template>
      <body>
        <header>
          <h1>Trips of the high voltage</h1>
          <nav><a href="#intervals">intervals <b><xsl:value-of select="count(module)"/></b></a></nav>
        </header>
        <main>
          <section id="intervals">
            <h2>Intervals</h2>
            <xsl:choose>
              <xsl:when test="not(module)"><p class="none">none; the log and the report of the job say in how much data</p></xsl:when>
              <xsl:otherwise>
                <table class="intervals">
                  <colgroup><col class="position"/><col class="where"/><col class="serial"/><col class="where"/><col class="where"/><col class="type"/><col/></colgroup>
                  <thead>
                    <tr>
                      <th>module</th><th class="where">where</th><th class="serial">serial number</th>
                      <th>start</th><th>end</th><th>seconds</th><th>lumi blocks</th>
                    </tr>
                  </thead>
                  <tbody><xsl:apply-templates select="module"/></tbody>
                </table>
              </xsl:otherwise>
            </xsl:choose>
          </section>
          <p class="legend">Module: bec.layer.phi.eta. Times are UTC. In these intervals the module had many more hits than usual and than its neighbours.</p>
        </main>
        <xsl:call-template name="footer"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="module">
    <xsl:variable name="position" select="value[@name='BecLayerPhiEta']"/>
    <xsl:variable name="first" select="value[@name='StartLBN']"/>
    <xsl:variable name="last" select="value[@name='EndLBN']"/>
    <tr>
      <td class="position"><xsl:value-of select="$position"/></td>
      <td class="where"><xsl:call-template name="where"><xsl:with-param name="position" select="$position"/></xsl:call-template></td>
      <td class="serial"><xsl:value-of select="value[@name='SN']"/></td>
      <td><xsl:call-template name="moment"><xsl:with-param name="seconds" select="value[@name='StartTime']"/></xsl:call-template></td>
      <td><xsl:call-template name="moment"><xsl:with-param name="seconds" select="value[@name='EndTime']"/></xsl:call-template></td>
      <td><xsl:value-of select="value[@name='EndTime'] - value[@name='StartTime']"/></td>
      <td><xsl:value-of select="$first"/><xsl:if test="$first != $last"><xsl:value-of select="concat('–', $last)"/></xsl:if></td>
    </tr>
  </xsl:template>

  <!-- Seconds since 1970 as date and time. Years are counted from March, so that a leap day is their last day. -->
  <xsl:template name="moment">
    <xsl:param name="seconds"/>
    <xsl:variable name="days" select="floor($seconds div 86400) + 719468"/>
    <xsl:variable name="era" select="floor($days div 146097)"/>
    <xsl:variable name="of-era" select="$days - $era * 146097"/>
    <xsl:variable name="years" select="floor(($of-era - floor($of-era div 1460) + floor($of-era div 36524) - floor($of-era div 146096)) div 365)"/>
    <xsl:variable name="of-year" select="$of-era - (365 * $years + floor($years div 4) - floor($years div 100))"/>
    <xsl:variable name="from-march" select="floor((5 * $of-year + 2) div 153)"/>
    <xsl:variable name="day" select="$of-year - floor((153 * $from-march + 2) div 5) + 1"/>
    <xsl:variable name="month" select="($from-march + 2) mod 12 + 1"/>
    <xsl:variable name="year" select="$years + $era * 400 + ($month &lt; 3)"/>
    <xsl:variable name="time" select="$seconds - 86400 * floor($seconds div 86400)"/>
    <xsl:value-of select="concat($year, '-', format-number($month, '00'), '-', format-number($day, '00'), ' ')"/>
    <xsl:value-of select="concat(format-number(floor($time div 3600), '00'), ':', format-number(floor($time mod 3600 div 60), '00'), ':', format-number($time mod 60, '00'))"/>
  </xsl:template>
</xsl:stylesheet>
