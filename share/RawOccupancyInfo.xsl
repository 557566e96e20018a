<?xml version="1.0" encoding="UTF-8"?>
<!-- The page of RawOccupancySummaryFile.xml. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="Monitoring.xsl"/>

  <xsl:variable name="title">Raw occupancy</xsl:variable>
  <xsl:variable name="scale">raw</xsl:variable>
  <xsl:variable name="power" select="3"/>
  <xsl:variable name="unit">× 10⁻³</xsl:variable>
  <xsl:variable name="note">Hits per strip and event, of tracks and noise. Sides without data count as 0 in averages over a layer or ring.</xsl:variable>

  <xsl:template name="low-label">10⁻⁴</xsl:template>
  <xsl:template name="high-label">10⁻¹</xsl:template>
</xsl:stylesheet>
